import fc from "fast-check";
import { fraction } from "../damage.js";
import { PLACES, PlanParts, type Entry, type Place, type Values } from "../edit-plan.js";

/** One edit of a plan: what is done, to which of its resources, and in which of its places. */
export interface Step {
  readonly what: keyof typeof EDITS;
  readonly scope: keyof typeof SCOPES;
  readonly at: number;
  readonly to: number;
  readonly places: readonly Place[];
}

export const anyStep = (): fc.Arbitrary<Step> =>
  fc.record({
    what: fc.constantFrom(...(Object.keys(EDITS) as Step["what"][])),
    scope: fc.constantFrom(...(Object.keys(SCOPES) as Step["scope"][])),
    at: fraction(),
    to: fraction(),
    // Most of them consistent: what differs between its places is the easier one to see.
    places: fc.oneof(
      { weight: 2, arbitrary: fc.constant(PLACES) },
      { weight: 1, arbitrary: fc.subarray([...PLACES]) },
    ),
  });

/** A plan after some edits, and how it may be read: a key that stands twice may be read by its first place or its last. */
export function mutate(text: string, steps: readonly Step[]): { text: string; readings: string[] } {
  const plan = new Mutant(text);
  for (const step of steps) EDITS[step.what](plan, SCOPES[step.scope](plan, step.at), step);
  return { text: plan.text(), readings: plan.readings() };
}

const pick = <T>(list: readonly T[], at: number): T[] => list.slice(Math.floor(at * list.length)).slice(0, 1);

const groupOf = ({ name }: Entry): string => /^.+?-[0-2](?=-)/.exec(name)?.[0] ?? name;

const isChanging = ({ change }: Entry): boolean => change.actions.join() !== "no-op";

const sharing = (all: readonly Entry[], at: number): Entry[] => {
  const [group] = pick([...new Set(all.map(groupOf))], at);
  return all.filter((entry) => groupOf(entry) === group);
};

/** Which resources an edit is about. */
const SCOPES = {
  "what changes of a group": (plan: Mutant, at: number) => sharing(plan.entries.filter(isChanging), at),
  "what changes beside the target": (plan: Mutant) =>
    plan.entries.filter((entry) => isChanging(entry) && groupOf(entry) !== plan.view),
  "all that changes": (plan: Mutant) => plan.entries.filter(isChanging),
  "one that changes": (plan: Mutant, at: number) => pick(plan.entries.filter(isChanging), at),
  "a group": (plan: Mutant, at: number) => sharing(plan.entries, at),
  one: (plan: Mutant, at: number) => pick(plan.entries, at),
} as const;

type Edit = (plan: Mutant, entries: readonly Entry[], step: Step) => void;

/** An edit of each resource alone. */
const each =
  (edit: (plan: Mutant, entry: Entry, step: Step) => void): Edit =>
  (plan, entries, step) => {
    for (const entry of entries) edit(plan, entry, step);
  };

const EDITS = {
  "leave out": each((plan, { address }, { places }) => {
    if (places.length > 0) plan.drop(address, ...places);
  }),
  "call it drift": each((plan, entry, { places }) => {
    plan
      .listAt("resource_drift")
      .push({ ...entry, change: { ...entry.change, actions: ["delete"], after: null } });
    if (places.length > 0) plan.drop(entry.address, ...places);
  }),
  blank: each((plan, entry, { places }) => {
    plan.say(entry, ["no-op"], null, null, places);
  }),
  "let it stay": each((plan, entry, { places }) => {
    const values = entry.change.before ?? { id: "x", ...entry.change.after };
    plan.say(entry, ["no-op"], values, values, places);
  }),
  "call it done": each((plan, entry, { places }) => {
    const values = { ...entry.change.before, ...entry.change.after };
    plan.say(entry, ["no-op"], values, values, places);
  }),
  "say another action": each((plan, entry, { to, places }) => {
    const [actions = []] = pick(ACTIONS, to);
    const { before, after } = entry.change;
    const there = before ?? after ?? {};
    const [first] = actions;
    plan.say(
      entry,
      [...actions],
      first === "create" && actions.length === 1 ? null : there,
      actions.join() === "delete" || first === "forget" ? null : first === "no-op" ? there : (after ?? there),
      places,
    );
  }),
  "say a word alone": each((_, { change }, { to }) => {
    change.actions = [...(pick(ACTIONS, to)[0] ?? [])];
  }),
  "give a reason": each((_, entry, { to }) => {
    entry["action_reason"] = pick(REASONS, to)[0];
  }),
  "bring it from elsewhere": each((plan, entry, { to, places }) => {
    const [from] = pick(plan.entries, to);
    if (!from) return;
    entry.previous_address = from.address;
    if (!places.includes("prior")) return;
    plan.say(entry, entry.change.actions, from.change.before, entry.change.after, places);
    if (places.includes("changes")) plan.drop(from.address, ...places);
  }),
  "bring it from outside": each((_, { change }, { to }) => {
    change["importing"] = pick([{}, { id: "i-0000" }, { unknown: true }, null], to)[0];
  }),
  "trade places": (plan, entries, { to, places }) => {
    for (const [index, entry] of entries.entries()) {
      const others = plan.entries.filter(({ type }) => type === entry.type);
      const other = others[(Math.floor(to * others.length) + index) % others.length];
      if (!other) continue;
      const [mine, theirs] = [{ ...entry.change }, { ...other.change }];
      plan.say(entry, theirs.actions, theirs.before, theirs.after, places);
      plan.say(other, mine.actions, mine.before, mine.after, places);
    }
  },
  "give it another id": each((plan, { change }, { to, places }) => {
    const [other] = pick(plan.entries, to);
    const [from, into] = [change.before?.["id"], other?.change.before?.["id"]];
    if (typeof from === "string" && typeof into === "string") plan.replaceText(from, into, places);
  }),
  "give it an address": each((plan, { address, type, name }, { to, places }) => {
    const [into] = pick(
      [
        `${type}.${name}[0]`,
        `${type}.${name}["a"]`,
        `module.own.${type}.${name}`,
        `${type}.own-${name}`,
        `${type}.${name}-9`,
        `null_resource.${name}`,
        `data.${type}.${name}`,
        `${type}.${name.replace(/-[0-2]-/, "-0-")}`,
        `${type}.${name.replace(/-\d+(-|$)/, "-9$1")}`,
      ],
      to,
    );
    if (into !== undefined) plan.rename(address, into, places);
  }),
  "own it": each((plan, { address }) => {
    const { rollout_own: own } = plan.json["variables"] as Record<string, { value?: Values } | undefined>;
    plan.setVariable("rollout_own", { ...own?.value, [address]: "zone" });
  }),
  "name another group": (plan, entries, { to, places }) => {
    const [from, into] = [entries.map(groupOf)[0], pick(plan.entries.map(groupOf), to)[0]];
    if (from !== undefined && into !== undefined) plan.replaceText(from, into, places);
  },
  "change what it is": each((plan, { address }, { to }) => {
    const [key = "", value] = pick(KINDS, to)[0] ?? [];
    plan.everyNamed(address, ["changes", "planned", "prior", "declared"]).forEach((each) => {
      each[key] = value;
    });
  }),
  "say it twice": each((plan, entry, { to, places }) => {
    const copy = structuredClone(entry);
    if (to < 0.5) copy.change = { ...copy.change, actions: ["no-op"], after: copy.change.before };
    const isFirst = to % 0.5 < 0.25;
    if (places.includes("changes")) plan.entries.splice(isFirst ? 0 : plan.entries.length, 0, copy);
    for (const twin of plan.everyNamed(
      entry.address,
      places.filter((place) => place !== "changes"),
    )) {
      plan.listOf(twin).push(structuredClone(twin));
    }
  }),
  "say a key twice": each((plan, entry, { to }) => {
    const { change, ...others } = entry;
    const other = { ...change, actions: ["no-op"], after: change.before };
    const [first, last] = to < 0.5 ? [change, other] : [other, change];
    plan.entries.splice(plan.entries.indexOf(entry), 1, { ...others, [FIRST]: first, change: last } as Entry);
  }),
  "depose it": each((plan, entry, { places }) => {
    if (places.includes("changes")) entry.deposed = "00000001";
    if (places.includes("prior")) {
      for (const object of plan.everyNamed(entry.address, ["prior"])) object["deposed_key"] = "00000001";
    }
    if (places.includes("planned")) plan.drop(entry.address, "planned");
  }),
  "defer it": each((plan, entry, { to, places }) => {
    const [key = ""] = pick(["deferred_changes", "resource_drift", "rollout", "action_invocations"], to);
    plan.listAt(key).push({ reason: "unknown", resource_change: entry });
    if (places.length > 0) plan.drop(entry.address, ...places);
  }),
  "count it": each((plan, { address }, { to }) => {
    const [key = ""] = pick(["count_expression", "for_each_expression"], to);
    for (const block of plan.everyNamed(address, ["declared"]))
      block[key] = { constant_value: to < 0.5 ? 0 : 1 };
  }),
  unhook: each((plan, { address }) => {
    for (const block of plan.everyNamed(address, ["declared"])) delete block["provisioners"];
  }),
  "put it into a module": each((plan, { address }, { places }) => {
    for (const [place, key] of [
      ["planned", "planned_values"],
      ["prior", "prior_state"],
    ] as const) {
      if (!places.includes(place)) continue;
      const moved = plan.everyNamed(address, [place]).map((each) => structuredClone(each));
      plan.drop(address, place);
      plan.addModule(key, moved);
    }
  }),
  "take another view": (plan, entries, { to }) => {
    const [group] = to < 0.2 ? ["cluster"] : entries.map(groupOf);
    if (group !== undefined) plan.setVariable("rollout_view", group);
  },
  "let it wait": (plan, entries) => {
    plan.setVariable("rollout_waiting", [...new Set(entries.map(({ name }) => name))]);
  },
  "say another revision": (plan, entries, { to }) => {
    const base = (plan.json["variables"] as Record<string, { value: Values }>)["rollout_base"]?.value ?? {};
    for (const entry of entries) base[groupOf(entry)] = Math.floor(to * 4);
    plan.setVariable("rollout_base", base);
  },
  "say another number": each((plan, { change: { actions, before, after }, ...entry }, { to, places }) => {
    const renumbered = (values: Values | null): Values | null =>
      JSON.parse(
        JSON.stringify(values).replace(/:(\d+)/g, `:${String(Math.floor(to * 9))}`),
      ) as Values | null;
    plan.say(plan.entry(entry.address), actions, before, renumbered(after), places);
  }),
  "leave out a part": (plan, _, { to }) => {
    plan.without.push(
      ...pick(["prior_state", "planned_values", "configuration", "variables", "resource_drift"], to),
    );
  },
  "say it is whole": (plan, _, { to }) => {
    const [claim] = pick(
      [{ complete: false }, { complete: undefined }, { errored: true }, { applyable: false }],
      to,
    );
    Object.assign(plan.json, { errored: false, complete: true }, claim);
  },
  "mention it": each((plan, { address, change }) => {
    plan.listAt("relevant_attributes").push({ resource: address, attribute: ["id"] });
    plan.json["output_changes"] = { own: { ...change, after_unknown: false } };
  }),
} satisfies Record<string, Edit>;

/** The key of what stands under the same key as another, before it. */
const FIRST = "first change";

const ACTIONS: readonly (readonly string[])[] = [
  ...["no-op", "read", "create", "update", "delete", "forget", "open", "noop", "NO-OP", ""].map((word) => [
    word,
  ]),
  ...[
    ["delete", "create"],
    ["create", "delete"],
    ["create", "forget"],
    ["forget", "create"],
  ],
  ...[["no-op", "delete"], ["no-op", "no-op"], ["read", "no-op"], []],
];

const REASONS = [
  "replace_because_tainted",
  "replace_by_request",
  "replace_by_triggers",
  "read_because_config_unknown",
  "x",
];

const KINDS: readonly (readonly [string, unknown])[] = [
  ["mode", "data"],
  ["mode", "ephemeral"],
  ["mode", undefined],
  ["type", "null_resource"],
  ["name", "own"],
  ["index", 0],
  ["module_address", "module.own"],
  ["provider_name", "registry.terraform.io/somebody/aws"],
  ["provider_config_key", "aws.other"],
];

type Named = Record<string, unknown> & { address: string };

/** A plan under edit. */
class Mutant extends PlanParts {
  /** Parts that are left out once all edits are made. */
  readonly without: string[] = [];

  get view(): unknown {
    return (this.json["variables"] as Record<string, { value?: unknown }> | undefined)?.["rollout_view"]
      ?.value;
  }

  text(): string {
    return this.asText(this.json).replaceAll(JSON.stringify(FIRST), '"change"');
  }

  readings(): string[] {
    const isTwice = (entry: Entry): boolean => entry[FIRST] !== undefined;
    if (!this.entries.some(isTwice)) return [this.text()];
    const first = this.entries.map((entry) => (isTwice(entry) ? { ...entry, change: entry[FIRST] } : entry));
    return [this.asText(this.json), this.asText({ ...this.json, resource_changes: first })];
  }

  private asText(json: Record<string, unknown>): string {
    const kept = Object.entries(json).filter(([key]) => !this.without.includes(key));
    return JSON.stringify(Object.fromEntries(kept));
  }

  listAt(key: string): unknown[] {
    return (this.json[key] ??= []) as unknown[];
  }

  /** Says of an object what becomes of it, in some places. */
  say(
    entry: Entry,
    actions: string[],
    before: Values | null,
    after: Values | null,
    places: readonly Place[],
  ): void {
    if (places.includes("changes")) Object.assign(entry.change, { actions, before, after });
    for (const [place, key, values] of [
      ["planned", "planned_values", after],
      ["prior", "prior_state", before],
    ] as const) {
      if (!places.includes(place)) continue;
      this.drop(entry.address, place);
      if (values === null) continue;
      const { address, mode, type, name } = entry;
      this.values(key).resources.push({ address, mode, type, name, values });
    }
    if (!places.includes("declared")) return;
    const isDeclared = this.root.resources.some(({ address }) => address === entry.address);
    if (after === null) this.drop(entry.address, "declared");
    else if (!isDeclared) {
      const { address, mode, type, name } = entry;
      this.root.resources.push({
        address,
        mode,
        type,
        name,
        provider_config_key: "terraform",
        expressions: {},
      });
    }
  }

  everyNamed(address: string, places: readonly Place[]): Named[] {
    const lists: Readonly<Record<Place, () => unknown[]>> = {
      changes: () => this.entries,
      planned: () => this.values("planned_values").resources,
      prior: () => this.values("prior_state").resources,
      declared: () => this.root.resources,
    };
    return places.flatMap((place) => (lists[place]() as Named[]).filter((each) => each.address === address));
  }

  listOf(one: Named): unknown[] {
    const lists: unknown[][] = [
      this.entries,
      this.values("planned_values").resources,
      this.values("prior_state").resources,
      this.root.resources,
    ];
    return lists.find((list) => list.includes(one)) ?? [];
  }

  setVariable(name: string, value: unknown): void {
    Object.assign(this.json["variables"] ?? {}, { [name]: { value } });
    Object.assign(this.root["variables"] ?? {}, { [name]: { default: value } });
  }

  /** Puts one word in another's place, wherever it stands as a whole: in all of the plan, or in its changes alone. */
  replaceText(from: string, into: string, places: readonly Place[]): void {
    const word = new RegExp(`(?<![\\w-])${from.replace(/[.[\]"]/g, "\\$&")}(?![\\w])`, "g");
    const replaced = <T>(value: T): T =>
      JSON.parse(JSON.stringify(value).replace(word, JSON.stringify(into).slice(1, -1))) as T;
    if (places.length === PLACES.length) this.json = replaced(this.json);
    else this.json["resource_changes"] = replaced(this.entries);
  }

  rename(from: string, into: string, places: readonly Place[]): void {
    this.replaceText(from, into, places);
    const [, module, data, type, name, key] =
      /^(module\.own\.)?(data\.)?([^.]+)\.([^.[]+)(?:\[(.+)\])?$/.exec(into) ?? [];
    for (const each of this.everyNamed(into, PLACES)) {
      Object.assign(each, { type, name, mode: data === undefined ? "managed" : "data" });
      if (key !== undefined) each["index"] = JSON.parse(key);
      if (module !== undefined) each["module_address"] = "module.own";
    }
  }
}
