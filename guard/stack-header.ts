import {
  BASE_VARIABLE,
  GATE_VARIABLE,
  OWN_VARIABLE,
  VIEW_VARIABLE,
  WAITING_VARIABLE,
} from "../cluster/hooks/variables.js";

/** What a synthesized stack holds beside its resources. */
export interface StackHeader {
  /** Blocks that bring resources along, or move, take over or let go of them. */
  readonly blocks: readonly string[];
  /** The `removed` blocks, by which Terraform lets go of resources or destroys them; absent where there are none. */
  readonly removed: unknown;
  /** `rollout_view`, `rollout_base` and `rollout_gate` as they would stand in the plan. */
  readonly view: unknown;
  readonly base: unknown;
  readonly gate: unknown;
  /** `rollout_waiting`; undefined where it is not declared. */
  readonly waiting: unknown;
  /** `rollout_own`; undefined where it is not declared. */
  readonly own: unknown;
  /** The body of each backend by its type, such as `s3`. */
  readonly backends: Readonly<Record<string, unknown>>;
}

const ACTING = ["module", "moved", "import", "removed", "ephemeral", "action"] as const;

/** Reads what cdktf is going to write into `cdk.tf.json`, overrides of the stack included. */
export function readHeader(stack: unknown): StackHeader {
  const { variable, terraform, ...others } = fieldsOf(stack);
  const defaultOf = (name: string): unknown => fieldsOf(fieldsOf(variable)[name])["default"];
  return {
    blocks: ACTING.filter((block) => others[block] !== undefined),
    removed: others["removed"],
    view: defaultOf(VIEW_VARIABLE),
    base: defaultOf(BASE_VARIABLE),
    gate: defaultOf(GATE_VARIABLE),
    waiting: defaultOf(WAITING_VARIABLE),
    own: defaultOf(OWN_VARIABLE),
    backends: fieldsOf(fieldsOf(terraform)["backend"]),
  };
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
