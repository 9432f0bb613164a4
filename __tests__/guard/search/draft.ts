import { placeOf, type Place, type State, type StateResource } from "./oracle.js";

export type Block = Record<string, unknown>;

/** A `cdk.tf.json`, to be edited. */
export interface Stack extends Record<string, unknown> {
  resource: Record<string, Record<string, Block>>;
}

/** A view that was synthesized, with the state that it is planned against, to be edited by hand. */
export interface Draft {
  readonly view: string;
  stack: Stack;
  /** The text of what is wanted. */
  spec: string;
  readonly state: State;
  /** Another state that the stack names as its backend. */
  elsewhere?: State;
  /** Of `terraform plan`. */
  readonly options: string[];
  /** Files beside the stack, by path. */
  readonly files: Record<string, unknown>;
  /** The view of another group, which the spec wants to be rolled, too. */
  readonly rolled: (group: string) => Promise<Stack>;
  /** The same view as it was made before spec and state went on. */
  readonly stale: () => Promise<Stack>;
}

export interface Member extends Place {
  readonly address: string;
  readonly block: Block;
}

/** The members of groups that a stack declares. */
export const membersOf = ({ stack }: Draft): Member[] =>
  Object.entries(stack.resource).flatMap(([type, blocks]) =>
    Object.entries(blocks).flatMap(([name, block]) => {
      const place = placeOf(`${type}.${name}`);
      return place ? [{ ...place, address: `${type}.${name}`, block }] : [];
    }),
  );

/** Those of groups that the view is not for. */
export const foreignOf = (draft: Draft): Member[] =>
  membersOf(draft).filter(({ group }) => group !== draft.view);

export const ofKind = (members: readonly Member[], ...kinds: readonly string[]): Member[] =>
  members.filter(({ kind }) => kinds.includes(kind));

/** An entry of a list at the top of a stack, such as `moved`. */
export function add(stack: Stack, list: "moved" | "import" | "removed", entry: object): void {
  stack[list] = [...((stack[list] as object[] | undefined) ?? []), entry];
}

/** Something by name at the top of a stack, such as an output. */
export function put(stack: Stack, block: string, name: string, body: unknown): void {
  stack[block] = { ...(stack[block] ?? {}), [name]: body };
}

export function declare({ stack }: Pick<Draft, "stack">, address: string, block: Block): void {
  const [type = "", name = ""] = address.split(".");
  (stack.resource[type] ??= {})[name] = block;
}

/** Drops blocks, and every mention of them. */
export function drop(draft: Draft, ...addresses: readonly string[]): void {
  for (const address of addresses) {
    const [type = "", name = ""] = address.split(".");
    Reflect.deleteProperty(draft.stack.resource[type] ?? {}, name);
  }
  for (const blocks of Object.values(draft.stack.resource)) {
    for (const [name, block] of Object.entries(blocks)) {
      const needs = block["depends_on"] as string[] | undefined;
      if (needs) block["depends_on"] = needs.filter((need) => !addresses.includes(need));
      const text = JSON.stringify(block).replace(/\$\{([^}]*)\.id\}/g, (named, address: string) =>
        addresses.includes(address) ? "gone" : named,
      );
      blocks[name] = JSON.parse(text) as Block;
    }
  }
}

/** Gives a block another name, wherever it is named. */
export function rename(draft: Draft, from: string, to: string): void {
  const text = JSON.stringify(draft.stack);
  draft.stack = JSON.parse(text.replace(pattern(from), () => to)) as Stack;
  const [type = "", name = ""] = from.split(".");
  const block = draft.stack.resource[type]?.[name];
  if (!block) return;
  Reflect.deleteProperty(draft.stack.resource[type] ?? {}, name);
  declare(draft, to, block);
}

const pattern = (address: string): RegExp => new RegExp(`${address.replace(".", "\\.")}(?![\\w-])`, "g");

export const copy = <T>(value: T): T => structuredClone(value);

/** Takes the freeze from a block. */
export const thaw = (block: Block): void => {
  delete block["lifecycle"];
};

/** What the state holds of an address. */
export const resourcesAt = ({ state }: Draft, address: string): StateResource[] =>
  state.resources.filter(({ type, name }) => `${type}.${name}` === address);

/** Two addresses, each with what was the other's. */
export function exchange({ resources }: State, one: string, other: string): void {
  const [first, second] = [one, other].map((address) =>
    resources.findIndex(({ type, name }) => `${type}.${name}` === address),
  );
  const [a, b] = [resources[first ?? -1], resources[second ?? -1]];
  if (!a || !b) return;
  resources[first ?? -1] = { ...a, instances: b.instances };
  resources[second ?? -1] = { ...b, instances: a.instances };
}

/** Takes an address out of the state, as `terraform state rm` does. */
export function forget({ state }: Pick<Draft, "state">, address: string): void {
  const at = state.resources.findIndex(({ type, name }) => `${type}.${name}` === address);
  if (at >= 0) state.resources.splice(at, 1);
}
