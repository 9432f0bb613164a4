/**
 * What became of each group, told by nothing but the two texts of the state. It knows nothing of the guard and shares no code
 * with it: what it says is what the verdict is held against.
 */

/** A state file, as far as it is read and edited here. */
export interface State {
  readonly resources: StateResource[];
  readonly [key: string]: unknown;
}

export interface StateResource {
  readonly module?: string;
  readonly mode: string;
  readonly type: string;
  readonly name: string;
  readonly instances: StateInstance[];
}

export interface StateInstance {
  readonly index_key?: string | number;
  deposed?: string;
  status?: string;
  readonly attributes: Record<string, unknown>;
}

/** Which group an address belongs to, and which of its members it is. */
export interface Place {
  readonly group: string;
  readonly host?: string;
  /** `host`, `data`, `config-consul`, `leave`… */
  readonly kind: string;
}

const MEMBER =
  /^\w+\.((?:consul-server|nomad-server|name-server|broker)-[012])-(?:(\d+)(?:-([a-z-]+))?|(leave|ready|revision))(?:\[.*\])?(?: deposed \w+)?$/;

export function placeOf(address: string): Place | undefined {
  const [, group, host, kind, ofGroup] = MEMBER.exec(address) ?? [];
  if (group === undefined) return undefined;
  return host === undefined ? { group, kind: ofGroup ?? "" } : { group, host, kind: kind ?? "host" };
}

/** What happened to one object. */
export interface Happened {
  readonly address: string;
  readonly place?: Place;
  readonly what: "created" | "destroyed" | "replaced" | "updated";
}

/**
 * Everything that is otherwise than before, by address.
 * @param truth the state that says whose an object is, where it was another that was changed
 */
export function happened(before: string, after: string, truth = before): Happened[] {
  const [old, now] = [objectsIn(before), objectsIn(after)];
  const owners = new Map([...objectsIn(truth)].map(([address, { id }]) => [id, address]));
  return [...new Set([...old.keys(), ...now.keys()])].sort().flatMap((address) => {
    const what = compare(old.get(address), now.get(address));
    const place = placeOf(owners.get(old.get(address)?.id ?? "") ?? address);
    return what === undefined ? [] : [{ address, what, ...(place ? { place } : {}) }];
  });
}

interface Thing {
  readonly id: string;
  readonly values: string;
}

function compare(old: Thing | undefined, now: Thing | undefined): Happened["what"] | undefined {
  if (now === undefined) return "destroyed";
  if (old === undefined) return "created";
  if (old.id !== now.id) return "replaced";
  return old.values === now.values ? undefined : "updated";
}

function objectsIn(text: string): Map<string, Thing> {
  const { resources } = JSON.parse(text) as State;
  return new Map(
    resources
      .filter(({ mode }) => mode === "managed")
      .flatMap(({ module, type, name, instances }) =>
        instances.map(({ index_key: key, deposed, attributes }) => {
          const address = [
            module === undefined ? "" : `${module}.`,
            `${type}.${name}`,
            key === undefined ? "" : `[${JSON.stringify(key)}]`,
            deposed === undefined ? "" : ` deposed ${deposed}`,
          ].join("");
          return [address, { id: String(attributes["id"]), values: JSON.stringify(attributes) }] as const;
        }),
      ),
  );
}

/** The groups that have a machine. */
export const groupsWithHosts = (text: string): Set<string> =>
  new Set(
    [...objectsIn(text).keys()].flatMap((address) => {
      const place = placeOf(address);
      return place?.kind === "host" ? [place.group] : [];
    }),
  );

/** What no accepted plan of a view may do, one line for each. */
export function wrongsIn(view: string, changes: readonly Happened[], before: string, spec: string): string[] {
  const standing = groupsWithHosts(before);
  return changes.flatMap(({ address, place, what }) => {
    const line = `${address} ${what}`;
    const isLost = what === "destroyed" || what === "replaced";
    if (place === undefined) {
      // A load balancer ends with its pool, once no machine of it is left.
      const ends =
        address.endsWith(".broker-load-balancer") &&
        ![...standing].some((group) => group.startsWith("broker-"));
      return view !== "cluster" || (isLost && !ends) ? [`shared: ${line}`] : [];
    }
    const { group, kind } = place;
    const hasRetired = /^ *retire:/m.test(spec) && group.startsWith("broker-") && !standing.has(group);
    if (kind === "data" && isLost && !hasRetired) return [`data: ${line}`];
    // What has no machine can neither lose nor interrupt work: a new group, or what is left of one that retired.
    if (group === view || (view === "cluster" && !standing.has(group))) return [];
    // All machines learn of a new Consul server.
    if (kind === "config-consul" && view.startsWith("consul-server-") && what !== "destroyed") return [];
    return [`${group}: ${line}`];
  });
}
