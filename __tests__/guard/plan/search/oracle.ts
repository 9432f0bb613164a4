import { isDeepStrictEqual } from "node:util";

/**
 * What would become of a cluster if a plan said the truth, told without the product's readers and rules.
 *
 * The state is the truth about what there is; an id is what a machine is. A plan is a claim about what becomes of it. The
 * search makes claims out of plans that do harm. Whether one is a lie about the saved plan cannot be told from its text
 * alone, so this asks for a proof of the contrary: every object of the state is listed once, at its own address and with
 * its own id; prior state, changes, values and configuration say the same of it; and what happens to it is nothing, or
 * one of the few things that the view's group may have happen. Whatever leaves a part of this proof out is harmful.
 *
 * A plan that carries the proof through is one that Terraform might have written: a harmless plan of another cluster.yaml
 * with the same state. Of such a plan nothing is claimed, since its text does not differ from that of a true one: what ties
 * it to the plan that is applied is the hash of the saved plan. It is no tautology: the oracle knows no rule of the guard,
 * neither spec nor revisions nor hooks, and starts from the objects of the state, where the rules start from the changes of
 * the plan. That it is right is held against every recorded plan.
 */
export class Oracle {
  private readonly objects: readonly StateObject[];
  private readonly mayDeleteVolumes: boolean;

  constructor({ state, spec, plan }: { state: string; spec: string; plan: string }) {
    this.objects = objectsOf(JSON.parse(state) as StateText);
    this.mayDeleteVolumes = spec.includes("retire: delete-volumes");
    this.hooks = hooksOf(JSON.parse(plan) as PlanText);
  }

  /** What each `leave` runs by the recorded plan, which the search does not better. */
  private readonly hooks: ReadonlyMap<string, unknown>;

  /** The harm that a plan does, or the proof of harmlessness that it lacks; undefined where it is harmless. */
  harmOf(text: string): string | undefined {
    const plan = JSON.parse(text) as PlanText;
    const view = plan.variables?.["rollout_view"]?.value;
    if (typeof view !== "string") return "no view";
    if (plan.errored !== false || plan.complete === false) return "a part of a plan";
    if ([plan.deferred_changes, plan.action_invocations].flat().some(Boolean)) return "more than changes";
    return new Claim(plan, this.objects, view, this.mayDeleteVolumes, this.hooks).harm();
  }
}

interface StateObject {
  readonly address: string;
  readonly deposed: string | undefined;
  readonly id: string;
  readonly tainted: boolean;
  readonly of: Member | undefined;
}

interface Member {
  readonly group: string;
  readonly host: string | undefined;
  readonly part: string;
}

interface Values {
  readonly id?: unknown;
  readonly triggers_replace?: unknown;
  readonly tags?: unknown;
}

interface Entry {
  readonly address: string;
  readonly deposed?: string;
  readonly mode?: string;
  readonly previous_address?: string;
  readonly action_reason?: string;
  readonly change: { actions: string[]; before?: Values | null; after?: Values | null; importing?: unknown };
}

interface Resource {
  readonly address: string;
  readonly mode?: string;
  readonly deposed_key?: string;
  readonly values?: Values;
  readonly provisioners?: unknown;
  readonly count_expression?: unknown;
  readonly for_each_expression?: unknown;
}

interface Module {
  readonly resources?: Resource[];
  readonly child_modules?: Module[];
}

interface PlanText {
  readonly variables?: Readonly<Record<string, { value?: unknown }>>;
  readonly resource_changes?: Entry[];
  readonly resource_drift?: Entry[];
  readonly prior_state?: { values?: { root_module?: Module } };
  readonly planned_values?: { root_module?: Module };
  readonly configuration?: { root_module?: Module };
  readonly errored?: boolean;
  readonly complete?: boolean;
  readonly deferred_changes?: unknown;
  readonly action_invocations?: unknown;
}

interface StateText {
  readonly resources: {
    mode: string;
    type: string;
    name: string;
    module?: string;
    instances: { index_key?: unknown; deposed?: string; status?: string; attributes: { id: string } }[];
  }[];
}

function objectsOf({ resources }: StateText): StateObject[] {
  return resources.flatMap(({ mode, type, name, module, instances }) =>
    mode !== "managed"
      ? []
      : instances.map(({ index_key: key, deposed, status, attributes: { id } }) => ({
          address: `${module === undefined ? "" : `${module}.`}${type}.${name}${key === undefined ? "" : `[${JSON.stringify(key)}]`}`,
          deposed,
          id,
          tainted: status === "tainted",
          of: memberOf(name),
        })),
  );
}

function memberOf(name: string): Member | undefined {
  const [, group = "", host, part = ""] =
    /^(.+-[0-2])-(?:(\d+)(?:-([a-z-]+))?|(?:leave|ready|revision))$/.exec(name) ?? [];
  if (group === "") return undefined;
  return { group, host, part: host === undefined ? name.slice(group.length + 1) : part || "host" };
}

const memberAt = (address: string): Member | undefined => memberOf(address.slice(address.indexOf(".") + 1));

const poolOf = ({ group }: Member): string => group.slice(0, -2);

const inModules = (module: Module | undefined): Resource[] =>
  module ? [...(module.resources ?? []), ...(module.child_modules ?? []).flatMap(inModules)] : [];

const managed = <T extends { mode?: string }>(all: readonly T[] = []): T[] =>
  all.filter(({ mode }) => mode !== "data");

const declaredIn = ({ configuration }: PlanText): Resource[] =>
  managed(configuration?.root_module?.resources);

const hooksOf = (plan: PlanText): ReadonlyMap<string, unknown> =>
  new Map(
    declaredIn(plan)
      .filter(({ address }) => memberAt(address)?.part === "leave")
      .map(({ address, provisioners }) => [address, provisioners]),
  );

/** One plan's claim about the objects of the state. */
class Claim {
  private readonly entries: readonly Entry[];
  private readonly prior: readonly Resource[];
  private readonly planned: readonly Resource[];
  private readonly declared: readonly Resource[];
  private readonly drift: readonly Entry[];
  private readonly target: string | undefined;
  private readonly waiting: unknown;

  constructor(
    plan: PlanText,
    private readonly objects: readonly StateObject[],
    view: string,
    private readonly mayDeleteVolumes: boolean,
    private readonly hooks: ReadonlyMap<string, unknown>,
  ) {
    this.entries = managed(plan.resource_changes);
    this.prior = managed(inModules(plan.prior_state?.values?.root_module));
    this.planned = managed(inModules(plan.planned_values?.root_module));
    this.declared = declaredIn(plan);
    this.drift = managed(plan.resource_drift);
    this.target = view === "cluster" ? undefined : view;
    this.waiting = plan.variables?.["rollout_waiting"]?.value;
  }

  harm(): string | undefined {
    const found = [
      ...this.objects.map((object) => ({ address: object.address, why: this.harmTo(object) })),
      ...this.entries.map((entry) => ({ address: entry.address, why: this.harmBy(entry) })),
      ...this.declared.map((block) => ({ address: block.address, why: this.unsaid(block) })),
    ].find(({ why }) => why !== undefined);
    return found && `${found.address}: ${found.why ?? ""}`;
  }

  private harmTo(object: StateObject): string | undefined {
    const { address, deposed, id } = object;
    const said = this.entries.filter((entry) => entry.address === address && entry.deposed === deposed);
    const [entry] = said;
    if (!entry || said.length > 1) {
      return said.length === 0 && this.mayBeGone(object) ? undefined : `listed ${String(said.length)} times`;
    }
    const { before, after } = entry.change;
    if ((before ?? null) === null && this.isGoneOutside(object, entry)) return undefined;
    if (object.of?.part === "host" && before?.id !== id) return "another machine";
    const isSame = (each: Resource): boolean => each.address === address && each.deposed_key === deposed;
    if (!isOnly(this.prior.filter(isSame), before)) return "otherwise in the prior state";
    const lasts = after !== null && after !== undefined;
    if (!isOnly(this.planned.filter(isSame), after)) return "otherwise in the planned values";
    const blocks = this.declared.filter((block) => block.address === address).length;
    return lasts && blocks !== 1 ? "stays undeclared" : this.happens(object, entry);
  }

  /** What an entry claims that the state knows nothing of. */
  private harmBy({ address, deposed, previous_address: from, change }: Entry): string | undefined {
    if (from !== undefined || (change.importing ?? null) !== null) return "brought from elsewhere";
    if (this.objects.some((object) => object.address === address && object.deposed === deposed))
      return undefined;
    if ((change.before ?? null) !== null) return "not in the state";
    if (change.actions.join() !== "create") return "neither there nor made";
    const member = memberAt(address);
    if (member === undefined) return this.target === undefined ? undefined : "made by a group's view";
    return this.mayChange(member) || this.isHeardOf(member) ? undefined : `made, of ${member.group}`;
  }

  private unsaid(block: Resource): string | undefined {
    if (block.count_expression !== undefined || block.for_each_expression !== undefined) return undefined;
    return this.entries.some(({ address }) => address === block.address)
      ? undefined
      : "declared, nothing said";
  }

  private happens(object: StateObject, entry: Entry): string | undefined {
    const { of, tainted } = object;
    const { before, after } = entry.change;
    const what = entry.change.actions.join();
    if (what === "no-op" && isDeepStrictEqual(before, after)) {
      return tainted ? "tainted, and would stay" : undefined;
    }
    if (!["update", "delete", "delete,create", "forget"].includes(what)) return what;
    if (this.isOver(object)) {
      const isLost = of?.part === "data" && what !== "forget" && !this.mayDeleteVolumes;
      return isLost ? "data is deleted" : undefined;
    }
    // Of earlier versions: it did nothing but wait, and no block is left whose hook could run.
    if (of?.part === "lb-drained" && what === "delete") return undefined;
    if (of === undefined)
      return this.target === undefined && what === "update" ? undefined : `shared, ${what}`;
    if (this.isHeardOf(of) && what !== "forget") return undefined;
    if (!this.mayChange(of)) return `${what}, of ${of.group}`;
    if (Array.isArray(this.waiting) && this.waiting.includes(`${of.group}-${of.host ?? ""}`)) return "waits";
    if (what === "forget") return "is forgotten";
    if (of.part === "data") return what === "update" && after?.id === object.id ? undefined : "data is lost";
    if (of.part !== "host" || object.deposed !== undefined) return undefined;
    return what === "update" ? "changed as it runs" : this.leaves(of, object, entry);
  }

  /** Whether the work of a machine that goes has left, or leaves before. */
  private leaves({ group, host }: Member, { tainted }: StateObject, { change }: Entry): string | undefined {
    const isIn = (part: string, of: string | undefined) => (object: StateObject) =>
      object.of?.group === group && object.of.host === of && object.of.part === part;
    const leave = this.objects.find(isIn("leave", undefined));
    if (!leave) return this.objects.some(isIn("config-consul", host)) ? "never left" : undefined;
    const block = this.declared.find(({ address }) => address === leave.address);
    if (!block || !isDeepStrictEqual(block.provisioners, this.hooks.get(leave.address)))
      return "leave is not run";
    const hook = this.entries.find(({ address }) => address === leave.address);
    if (leave.tainted || hook?.change.actions[0] !== "delete" || hook.action_reason === TAINTED)
      return "goes before its hooks";
    const isNew = !isDeepStrictEqual(template(change.before), template(change.after));
    return tainted || isNew ? undefined : "leave lets the work of the same template stay";
  }

  /** A group may change in its own view; one that was never whole may in the cluster view. */
  private mayChange({ group }: Member): boolean {
    const isWhole = this.objects.some(({ of }) => of?.group === group && of.part === "revision");
    return this.target === undefined ? !isWhole : this.target === group;
  }

  /**
   * Terraform lists no change of what is undeclared and was gone already: resources of the user's own, of a pool's end, and
   * machines of the view's group that were terminated outside.
   */
  private mayBeGone(object: StateObject): boolean {
    const isIt = (each: { address: string }): boolean => each.address === object.address;
    if ([this.prior, this.planned, this.declared].some((part) => part.some(isIt))) return false;
    const isGone = this.drift.some((entry) => isIt(entry) && entry.change.actions.join() === "delete");
    const { of, address } = object;
    const mayGo = of ? of.part !== "data" && this.mayChange(of) : !SHARED.test(address);
    return isGone && (this.isOver(object) || mayGo);
  }

  /** A machine that was terminated outside is made anew by the view of its group. */
  private isGoneOutside({ of }: StateObject, { change }: Entry): boolean {
    return change.actions.join() === "create" && of !== undefined && of.part !== "data" && this.mayChange(of);
  }

  /** Whether it is left of a pool without machines, whose end comes by the cluster view. */
  private isOver({ address, of }: StateObject): boolean {
    const pool = of ? poolOf(of) : address.replace(/^.*\.|-load-balancer$/g, "");
    const own = this.objects.filter((each) => each.of !== undefined && poolOf(each.of) === pool);
    return this.target === undefined && own.length > 0 && own.every((each) => each.of?.part !== "host");
  }

  /** Whether it tells a machine of a Consul server that is made. */
  private isHeardOf({ part }: Member): boolean {
    const isMade = ({ address, change }: Entry): boolean =>
      /\.consul-server-\d-\d+$/.test(address) && change.actions.includes("create");
    return part === "config-consul" && this.entries.some(isMade);
  }
}

/** What all three groups of a pool share, and all machines of a cluster. */
const SHARED = /\.(cluster(-[a-z-]+)?|.+-load-balancer)$/;

const TAINTED = "replace_because_tainted";

/** Where a machine carries the hash of its template: local machines, and those on AWS. */
const template = (values: Values | null | undefined): unknown => values?.triggers_replace ?? values?.tags;

/** Whether a part of the plan says once what there is, or does not name it where there is nothing. */
function isOnly(found: readonly Resource[], values: Values | null | undefined): boolean {
  const given = found.filter((each) => each.values !== undefined);
  return given.length === 0
    ? (values ?? null) === null
    : given.length === 1 && isDeepStrictEqual(given[0]?.values, values);
}
