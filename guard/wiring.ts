import type { Member } from "../cluster/address.js";

/** What a member of a group runs and waits for: as it was synthesized, or as the configuration in a plan says. */
export interface Wiring {
  readonly address: string;
  readonly member: Member;
  readonly provisioners: readonly Provisioner[];
  /** The addresses in its `depends_on`. */
  readonly after: readonly string[];
}

export interface Provisioner {
  readonly command: string;
  /** Absent where a plan is judged: Terraform does not print it there. */
  readonly when?: "create" | "destroy";
  /** What the command is given, by name. A value that is known only when it runs is its expression. */
  readonly environment: Readonly<Record<string, unknown>>;
  /** What else is set, such as `on_failure`, sorted. */
  readonly others: readonly string[];
}
