import {
  BASE_VARIABLE,
  GATE_VARIABLE,
  NUMBERS_VARIABLE,
  OWN_VARIABLE,
  VIEW_VARIABLE,
  WAITING_VARIABLE,
} from "../cluster/hooks/variables.js";
import { asMap } from "../cluster/raw.js";

/** What a synthesized stack holds beside its resources. */
export interface StackHeader {
  /** Blocks that this program does not know, such as those that bring resources along, move or take over them. */
  readonly blocks: readonly string[];
  /** The `removed` blocks, by which Terraform lets go of resources or destroys them; absent where there are none. */
  readonly removed: unknown;
  /** `rollout_view`, `rollout_base` and `rollout_gate` as they would stand in the plan. */
  readonly view: unknown;
  readonly base: unknown;
  readonly gate: unknown;
  /** `rollout_waiting`; undefined where it is not declared. */
  readonly laterHosts: unknown;
  /** `rollout_numbers`; undefined where it is not declared. */
  readonly numbers: unknown;
  /** `rollout_own`; undefined where it is not declared. */
  readonly own: unknown;
  /** The body of each backend by its type, such as `s3`. */
  readonly backends: Readonly<Record<string, unknown>>;
}

/** What is judged, or does nothing by itself. Terraform may learn others, so all else is refused. */
const KNOWN = new Set(["//", "terraform", "variable", "provider", "resource", "data", "output", "locals"]);
const KNOWN_SETTINGS = new Set(["required_version", "required_providers", "backend"]);

/** Reads what cdktf is going to write into `cdk.tf.json`, overrides of the stack included. */
export function readHeader(stack: unknown): StackHeader {
  const fields = asMap(stack);
  const { variable, terraform } = fields;
  const defaultOf = (name: string): unknown => asMap(asMap(variable)[name])["default"];
  return {
    blocks: [
      ...Object.keys(fields).filter((block) => !KNOWN.has(block)),
      ...Object.keys(asMap(terraform))
        .filter((setting) => !KNOWN_SETTINGS.has(setting))
        .map((setting) => `terraform.${setting}`),
    ],
    removed: fields["removed"],
    view: defaultOf(VIEW_VARIABLE),
    base: defaultOf(BASE_VARIABLE),
    gate: defaultOf(GATE_VARIABLE),
    laterHosts: defaultOf(WAITING_VARIABLE),
    numbers: defaultOf(NUMBERS_VARIABLE),
    own: defaultOf(OWN_VARIABLE),
    backends: asMap(asMap(terraform)["backend"]),
  };
}
