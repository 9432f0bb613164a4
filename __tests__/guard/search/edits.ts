import type { Dice } from "./dice.js";
import {
  add,
  copy,
  declare,
  drop,
  exchange,
  foreignOf,
  forget,
  membersOf,
  ofKind,
  put,
  rename,
  resourcesAt,
  thaw,
  type Block,
  type Draft,
  type Member,
} from "./draft.js";
import { placeOf } from "./oracle.js";

/** Changes a draft, and says what it did. */
export type Edit = (draft: Draft, dice: Dice) => string | Promise<string>;

/** Everything that is done to a view by hand, by name. */
export const EDITS: Readonly<Record<string, Edit>> = {
  // Moves, imports and what is let go of.

  "move a member to another": (draft, dice) => {
    const from = dice.of(someones(draft, dice));
    const to = dice.of(
      membersOf(draft).filter(({ kind, address }) => kind === from.kind && address !== from.address),
    );
    drop(draft, from.address);
    forget(draft, to.address);
    add(draft.stack, "moved", { from: from.address, to: to.address });
    return `${from.address} -> ${to.address}`;
  },
  "move a machine to another number": (draft, dice) => {
    const from = dice.of(ofKind(someones(draft, dice), "host"));
    const all = dice.once(2) ? [from] : siblings(draft, from);
    for (const { address } of all) {
      const to = renumbered(address, dice.of(["1", "2", "7"]));
      if (address === to) continue;
      rename(draft, address, to);
      add(draft.stack, "moved", { from: address, to });
    }
    return `${from.address}, ${String(all.length)} members`;
  },
  "move a member to an address of no group": (draft, dice) => {
    const from = dice.of(someones(draft, dice));
    const to = besides(from.address, dice);
    rename(draft, from.address, to);
    add(draft.stack, "moved", { from: from.address, to });
    if (dice.once(2)) retrigger(draft.stack.resource[typeOf(to)]?.[nameOf(to)] ?? {}, dice);
    return `${from.address} -> ${to}`;
  },
  "move what is of no group to a member": (draft, dice) => {
    const to = dice.of(someones(draft, dice).filter(({ kind }) => kind !== "ready" && kind !== "revision"));
    forget(draft, to.address);
    drop(draft, OWN);
    add(draft.stack, "moved", { from: OWN, to: to.address });
    return `${OWN} -> ${to.address}`;
  },
  "swap two members": (draft, dice) => {
    const one = dice.of(someones(draft, dice));
    const other = dice.of(
      membersOf(draft).filter(({ kind, group }) => kind === one.kind && group !== one.group),
    );
    swap(draft, one.address, other.address);
    return `${one.address} <-> ${other.address}`;
  },
  "count on a member": (draft, dice) => {
    const { address, block } = dice.of(someones(draft, dice));
    const count = dice.of([0, 1, 2]);
    block["count"] = count;
    pointInto(draft, address, "[0]");
    return `${address}, ${String(count)}`;
  },
  "for_each on a member": (draft, dice) => {
    const { address, block } = dice.of(someones(draft, dice));
    block["for_each"] = { a: "a" };
    pointInto(draft, address, '["a"]');
    if (dice.once(2)) add(draft.stack, "moved", { from: address, to: `${address}["a"]` });
    return address;
  },
  "move a member into a module": (draft, dice) => {
    const { address, block } = dice.of(someones(draft, dice));
    const inside = copy(block);
    delete inside["depends_on"];
    drop(draft, address);
    draft.files["apart/main.tf.json"] = { resource: { [typeOf(address)]: { apart: constant(inside) } } };
    put(draft.stack, "module", "apart", { source: "./apart" });
    add(draft.stack, "moved", { from: address, to: `module.apart.${typeOf(address)}.apart` });
    return address;
  },
  "import a member": (draft, dice) => {
    const to = dice.of(someones(draft, dice));
    const from = dice.of(membersOf(draft).filter(({ kind }) => kind === to.kind));
    const id = String(resourcesAt(draft, from.address)[0]?.instances[0]?.attributes["id"]);
    forget(draft, to.address);
    if (dice.once(2)) thaw(to.block);
    add(draft.stack, "import", { to: to.address, id });
    return `${to.address} is what ${from.address} was`;
  },
  "let go of a member": (draft, dice) => {
    const { address } = dice.of(someones(draft, dice));
    const destroy = dice.once(2);
    drop(draft, address);
    add(draft.stack, "removed", { from: address, lifecycle: [{ destroy }] });
    return `${address}${destroy ? ", destroyed" : ""}`;
  },

  // Blocks that are gone, more, or another's.

  "drop a member": (draft, dice) => {
    const { address } = dice.of(someones(draft, dice));
    drop(draft, address);
    return address;
  },
  "drop a machine with all of it": (draft, dice) => {
    const host = dice.of(ofKind(someones(draft, dice), "host"));
    const all = siblings(draft, host);
    drop(draft, ...all.map(({ address }) => address));
    return all.map(({ address }) => address).join(", ");
  },
  "drop a group": (draft, dice) => {
    const { group } = dice.of(someones(draft, dice));
    const keeps = dice.once(2) ? ["data"] : [];
    const all = membersOf(draft).filter((each) => each.group === group && !keeps.includes(each.kind));
    drop(draft, ...all.map(({ address }) => address));
    return `${group}${keeps.length > 0 ? " but for its disks" : ""}`;
  },
  "give a machine another number": (draft, dice) => {
    const host = dice.of(ofKind(someones(draft, dice), "host"));
    const number = dice.of(["1", "2", "7"]);
    const all = dice.once(3) ? [host] : siblings(draft, host);
    for (const { address } of all) rename(draft, address, renumbered(address, number));
    return `${host.address}, now ${number}`;
  },
  "one machine more": (draft, dice) => {
    const host = dice.of(ofKind(someones(draft, dice), "host"));
    for (const { address, block } of siblings(draft, host)) {
      const text = JSON.stringify(block).replaceAll(nameOf(host.address), () => `${host.group}-7`);
      const more = JSON.parse(text) as Block;
      thaw(more);
      declare(draft, renumbered(address, "7"), more);
    }
    return `${host.group}-7`;
  },
  "swap the names of two groups": (draft, dice) => {
    const one = dice.of(someones(draft, dice));
    const other = dice.of(membersOf(draft).filter(({ group }) => group !== one.group));
    const text = JSON.stringify(draft.stack)
      .replaceAll(`${one.group}-`, "@-")
      .replaceAll(`${other.group}-`, `${one.group}-`)
      .replaceAll("@-", `${other.group}-`);
    draft.stack = JSON.parse(text) as Draft["stack"];
    for (const { block, kind } of membersOf(draft)) if (kind === "ready" && !dice.once(3)) thaw(block);
    return `${one.group} <-> ${other.group}`;
  },
  "a second group as in its own view": async (draft, dice) => {
    const { group } = dice.of(foreignOf(draft));
    const other = await draft.rolled(group);
    draft.stack["locals"] = { ...(draft.stack["locals"] ?? {}), ...(other["locals"] ?? {}) };
    takeOver(draft, other, (place) => place === group);
    return group;
  },
  "members of a second group as in its own view": async (draft, dice) => {
    const { group } = dice.of(foreignOf(draft));
    const other = await draft.rolled(group);
    draft.stack["locals"] = { ...(draft.stack["locals"] ?? {}), ...(other["locals"] ?? {}) };
    takeOver(draft, other, (place) => place === group && !dice.once(2));
    return group;
  },
  "the view of another group in this folder": async (draft, dice) => {
    const { group } = dice.of(foreignOf(draft));
    const own = copy(draft.stack["variable"]);
    draft.stack = copy(await draft.rolled(group));
    if (dice.once(2)) return group;
    draft.stack["variable"] = own;
    return `${group}, under this name`;
  },
  "a stale folder": async (draft) => {
    draft.stack = copy(await draft.stale());
    return "the view as it was before";
  },
  "members of a stale folder": async (draft, dice) => {
    const stale = await draft.stale();
    takeOver(draft, stale, () => dice.once(2));
    return "half of it as it was before";
  },
  "a file left over from another view": async (draft, dice) => {
    const { group } = dice.of(foreignOf(draft));
    const other = await draft.rolled(group);
    const left: Draft["stack"] = { resource: {} };
    // Terraform overrides only what is there.
    for (const { address } of membersOf(draft)) {
      const block = other.resource[typeOf(address)]?.[nameOf(address)];
      if (block) declare({ stack: left }, address, overriding(block));
    }
    draft.stack["locals"] = { ...(draft.stack["locals"] ?? {}), ...(other["locals"] ?? {}) };
    draft.files["left_override.tf.json"] = { resource: left.resource };
    return group;
  },

  // What happens to a member.

  "change a trigger": (draft, dice) => {
    const { address, block } = dice.of(someones(draft, dice));
    if (!dice.once(3)) thaw(block);
    retrigger(block, dice);
    return address;
  },
  "change a value": (draft, dice) => {
    const { address, block } = dice.of(ofKind(someones(draft, dice), "host", "data", "revision"));
    if (!dice.once(3)) thaw(block);
    return `${address}: ${changeValue(block, dice)}`;
  },
  "thaw a member": (draft, dice) => {
    const { address, block } = dice.of(someones(draft, dice));
    thaw(block);
    return address;
  },
  "thaw a group": (draft, dice) => {
    const { group } = dice.of(someones(draft, dice));
    for (const { block } of membersOf(draft).filter((each) => each.group === group)) thaw(block);
    return group;
  },
  "thaw all": (draft, dice) => {
    for (const { block } of membersOf(draft)) if (!dice.once(4)) thaw(block);
    return "three of four members";
  },
  "freeze a member": (draft, dice) => {
    const { address, block } = dice.of(someones(draft, dice));
    block["lifecycle"] = { ignore_changes: "all", prevent_destroy: dice.once(2) };
    return address;
  },
  "the successor first": (draft, dice) => {
    const { address, block } = dice.of(someones(draft, dice));
    block["lifecycle"] = { create_before_destroy: true };
    return address;
  },
  "replaced with another": (draft, dice) => {
    const { address, block } = dice.of(foreignOf(draft));
    const by = dice.of(membersOf(draft).filter(({ group }) => group !== placeOf(address)?.group));
    block["lifecycle"] = { replace_triggered_by: [by.address] };
    return `${address} with ${by.address}`;
  },
  "what belongs to no group replaces a member": (draft, dice) => {
    const { address, block } = dice.of(foreignOf(draft));
    block["lifecycle"] = { replace_triggered_by: [OWN] };
    retrigger(ownOf(draft), dice);
    return address;
  },
  "a member named by one of another group": (draft, dice) => {
    const { address, block } = dice.of(membersOf(draft));
    const other = dice.of(membersOf(draft).filter(({ group }) => group !== placeOf(address)?.group));
    thaw(block);
    retrigger(block, dice, `\${${other.address}.id}`);
    return `${address} by ${other.address}`;
  },
  "members wait for others": (draft, dice) => {
    const { address, block } = dice.of(membersOf(draft));
    const other = dice.of(membersOf(draft).filter((each) => each.address !== address));
    block["depends_on"] = [...((block["depends_on"] as string[] | undefined) ?? []), other.address];
    return `${address} after ${other.address}`;
  },
  "no waiting": (draft, dice) => {
    const { address, block } = dice.of(someones(draft, dice));
    delete block["depends_on"];
    return address;
  },
  "an override file": (draft, dice) => {
    const { address } = dice.of(someones(draft, dice));
    const body: Block = { lifecycle: { prevent_destroy: false, ignore_changes: ["output"] } };
    retrigger(body, dice);
    draft.files["by_hand_override.tf.json"] = {
      resource: { [typeOf(address)]: { [nameOf(address)]: body } },
    };
    return address;
  },
  "another provider": (draft, dice) => {
    const { address, block } = dice.of(someones(draft, dice));
    put(draft.stack, "provider", "terraform", [{ alias: "other" }]);
    block["provider"] = "terraform.other";
    return address;
  },

  // Hooks, which change no id by themselves.

  "drop a hook": (draft, dice) => {
    const { address, block } = dice.of(hooked(draft));
    delete block["provisioner"];
    return address;
  },
  "a hook that fails": (draft, dice) => {
    const { address, block } = dice.of(hooked(draft));
    block["provisioner"] = [{ "local-exec": { command: "exit 1" } }];
    return address;
  },
  "a hook that runs otherwise": (draft, dice) => {
    const { address, block } = dice.of(hooked(draft));
    block["provisioner"] = (block["provisioner"] as Record<string, object>[]).map((each) => ({
      "local-exec": { ...each["local-exec"], on_failure: "continue" },
    }));
    return address;
  },

  // What belongs to no group.

  "what belongs to no group names a member": (draft, dice) => {
    const { address } = dice.of(membersOf(draft));
    const own = ownOf(draft);
    if (dice.once(2)) own["lifecycle"] = { replace_triggered_by: [address] };
    else own["input"] = `\${${address}.id}`;
    return address;
  },
  "what belongs to no group is more": (draft, dice) => {
    const { address } = dice.of(membersOf(draft));
    const block: Block = dice.once(2) ? { input: "more" } : { input: `\${${address}.id}` };
    if (dice.once(3)) block["provisioner"] = [{ "local-exec": { command: "exit 0" } }];
    declare(draft, "terraform_data.more", block);
    return JSON.stringify(block);
  },
  "what belongs to no group is replaced": (draft, dice) => {
    const own = ownOf(draft);
    thaw(own);
    retrigger(own, dice);
    return OWN;
  },
  "the load balancer is changed": (draft, dice) => {
    const block = draft.stack.resource["terraform_data"]?.["broker-load-balancer"] ?? dice.of<Block>([]);
    if (!dice.once(3)) thaw(block);
    if (dice.once(2)) retrigger(block, dice);
    else block["input"] = { cluster: "demo", port: 9999 };
    return "broker-load-balancer";
  },
  "a data source between groups": (draft, dice) => {
    const { address, block } = dice.of(someones(draft, dice));
    const other = dice.of(membersOf(draft).filter((each) => each.address !== address));
    put(draft.stack, "data", "terraform_remote_state", {
      own: {
        backend: "local",
        config: { path: "../../../terraform.demo.tfstate" },
        defaults: { id: other.address },
      },
    });
    thaw(block);
    retrigger(block, dice, "${data.terraform_remote_state.own.outputs.id}");
    return address;
  },
  "a module": (draft, dice) => {
    const { address } = dice.of(foreignOf(draft));
    draft.files["apart/main.tf.json"] = {
      resource: { terraform_data: { [nameOf(address)]: { input: "apart" } } },
    };
    put(draft.stack, "module", "apart", { source: "./apart" });
    return nameOf(address);
  },
  "an output": (draft, dice) => {
    const { address } = dice.of(membersOf(draft));
    put(draft.stack, "output", "by-hand", { value: `\${${address}.id}` });
    return address;
  },
  "a local value": (draft) => {
    put(draft.stack, "locals", "by-hand", "${upper(var.rollout_view)}");
    return "by-hand";
  },
  "a check": (draft, dice) => {
    const { address } = dice.of(membersOf(draft));
    put(draft.stack, "check", "by-hand", {
      assert: [{ condition: `\${${address}.id != ""}`, error_message: "It has no id." }],
    });
    return address;
  },

  // What the plan says of itself.

  "another name of the view": (draft, dice) => {
    const { group } = dice.of(foreignOf(draft));
    const name = dice.of([group, group, "cluster", "nobody"]);
    variable(draft, "rollout_view")["default"] = name;
    return name;
  },
  "another revision": (draft, dice) => {
    const { group } = dice.of(someones(draft, dice));
    const base = variable(draft, "rollout_base");
    base["default"] = { ...(base["default"] as object), [group]: 7 };
    return group;
  },

  // Options of Terraform.

  "-replace": (draft, dice) => {
    const { address, block } = dice.of(someones(draft, dice));
    if (dice.once(2)) thaw(block);
    return option(draft, `-replace=${address}`);
  },
  "-target": (draft, dice) => option(draft, `-target=${dice.of(someones(draft, dice)).address}`),
  "-destroy": (draft, dice) => {
    if (!dice.once(4)) for (const block of blocksOf(draft.stack)) thaw(block);
    return option(draft, "-destroy");
  },
  "-refresh-only": (draft) => option(draft, "-refresh-only"),
  "-refresh=false": (draft) => option(draft, "-refresh=false"),
  "-parallelism": (draft) => option(draft, "-parallelism=1"),
  "the gate": (draft, dice) => option(draft, `-var=rollout_gate=${dice.of(["open", "closed"])}`),
  "the view by an option": (draft, dice) =>
    option(draft, `-var=rollout_view=${dice.of(foreignOf(draft)).group}`),

  // What the state holds.

  "taint a member": (draft, dice) => {
    const { address, block } = dice.of(someones(draft, dice));
    if (dice.once(2)) thaw(block);
    const instance = dice.of(dice.of(resourcesAt(draft, address)).instances);
    instance.status = "tainted";
    return address;
  },
  "lose a member": (draft, dice) => {
    const { address } = dice.of(someones(draft, dice));
    forget(draft, address);
    return address;
  },
  "lose a machine with all of it": (draft, dice) => {
    const host = dice.of(ofKind(someones(draft, dice), "host"));
    const keeps = dice.once(2) ? ["data"] : [];
    for (const { address, kind } of siblings(draft, host)) if (!keeps.includes(kind)) forget(draft, address);
    return `${host.address}${keeps.length > 0 ? " but for its disk" : ""}`;
  },
  "another state": (draft, dice) => {
    const all = membersOf(draft);
    const own = all.filter(({ group }) => group === draft.view);
    const one = dice.of(own.length > 0 ? own : all);
    const other = dice.of(all.filter(({ kind, group }) => kind === one.kind && group !== one.group));
    draft.elsewhere = copy(draft.state);
    put(draft.stack, "terraform", "backend", { local: { path: "../../../elsewhere.tfstate" } });
    if (dice.once(4)) return "as it is";
    // All that hangs on two machines, or one member.
    const hanging = siblings(draft, one).filter(({ kind, host }) => host !== undefined && kind !== "host");
    for (const { address } of dice.once(3) || hanging.length === 0 ? [one] : hanging) {
      exchange(
        draft.elsewhere,
        address,
        address.replace(`${one.group}-${one.host ?? ""}`, `${other.group}-${other.host ?? ""}`),
      );
    }
    return `${one.address} <-> ${other.address}, and what hangs on them`;
  },
  "exchange two objects in the state": (draft, dice) => {
    const one = dice.of(membersOf(draft));
    const other = dice.of(
      membersOf(draft).filter(({ kind, group }) => kind === one.kind && group !== one.group),
    );
    exchange(draft.state, one.address, other.address);
    return `${one.address} <-> ${other.address}`;
  },
  "a member is deposed": (draft, dice) => {
    const { address } = dice.of(someones(draft, dice));
    const instances = dice.of(resourcesAt(draft, address)).instances;
    const first = dice.of(instances);
    if (dice.once(2)) instances.push({ ...copy(first), deposed: "0a1b2c3d" });
    else first.deposed = "0a1b2c3d";
    return `${address}${instances.length > 1 ? ", beside its successor" : ""}`;
  },
};

const blocksOf = ({ resource }: Draft["stack"]): Block[] =>
  Object.values(resource).flatMap((blocks) => Object.values(blocks));

const OWN = "terraform_data.zone";

/** Members of other groups, and every third time of any. */
const someones = (draft: Draft, dice: Dice): Member[] => (dice.once(3) ? membersOf(draft) : foreignOf(draft));

const hooked = (draft: Draft): Member[] =>
  membersOf(draft).filter(({ block }) => block["provisioner"] !== undefined);

/** A machine and what hangs on it. */
const siblings = (draft: Draft, { group, host }: Member): Member[] =>
  membersOf(draft).filter((each) => each.group === group && each.host === host);

const typeOf = (address: string): string => address.split(".")[0] ?? "";
const nameOf = (address: string): string => address.split(".")[1] ?? "";

/** An address of no group. */
const besides = (address: string, dice: Dice): string =>
  `${typeOf(address)}.${dice.of(["aside", "parked", "apart"])}-${nameOf(address).replace(/\W/g, "_")}`;

const renumbered = (address: string, number: string): string =>
  address.replace(/(-[012]-)\d+/, `$1${number}`);

function ownOf({ stack }: Draft): Block {
  return ((stack.resource["terraform_data"] ??= {})["zone"] ??= { input: "a" });
}

function variable({ stack }: Draft, name: string): Block {
  return (stack["variable"] as Record<string, Block>)[name] ?? {};
}

function option({ options }: Draft, text: string): string {
  options.push(text);
  return text;
}

/** Makes Terraform replace it, where nothing holds it. */
function retrigger(block: Block, dice: Dice, value = `by hand ${dice.of(["1", "2"])}`): void {
  const old = block["triggers_replace"];
  block["triggers_replace"] = typeof old === "object" ? { ...old, hand: value } : value;
}

function changeValue(block: Block, dice: Dice): string {
  const input = block["input"] as Block | undefined;
  const key = dice.of(Object.keys(input ?? {}));
  const value = dice.of<unknown>(["v2", "v3", "large", 1, 20]);
  block["input"] = { ...input, [key]: value };
  return `${key} ${JSON.stringify(value)}`;
}

/** Everything that names a block names one of its objects instead. */
function pointInto(draft: Draft, address: string, key: string): void {
  const block = draft.stack.resource[typeOf(address)]?.[nameOf(address)] ?? {};
  const text = JSON.stringify(draft.stack).replaceAll(
    `${address}.id`,
    () => `${address}${key.replaceAll('"', '\\"')}.id`,
  );
  draft.stack = JSON.parse(text) as Draft["stack"];
  Object.assign(draft.stack.resource[typeOf(address)]?.[nameOf(address)] ?? {}, block);
}

function swap(draft: Draft, one: string, other: string): void {
  rename(draft, one, `${typeOf(one)}.between`);
  rename(draft, other, one);
  rename(draft, `${typeOf(one)}.between`, other);
}

/** What a module can have: no references. */
const constant = (block: Block): Block =>
  JSON.parse(JSON.stringify(block).replace(/\$\{[^}]*\}/g, "nothing")) as Block;

/** What an override file may say of a block, and what takes a freeze from it. */
function overriding(block: Block): Block {
  const body = copy(block);
  delete body["depends_on"];
  const lifecycle = (body["lifecycle"] ?? {}) as Block;
  delete lifecycle["postcondition"];
  const isFrozen = "ignore_changes" in lifecycle;
  return {
    ...body,
    lifecycle: isFrozen ? lifecycle : { ignore_changes: ["output"], prevent_destroy: false },
  };
}

function takeOver(draft: Draft, other: Draft["stack"], isMeant: (group: string) => boolean): void {
  for (const [type, blocks] of Object.entries(other.resource)) {
    for (const [name, block] of Object.entries(blocks)) {
      const place = placeOf(`${type}.${name}`);
      if (place && isMeant(place.group)) declare(draft, `${type}.${name}`, copy(block));
    }
  }
}
