import type { Member } from "../cluster/address.js";

/**
 * A block of the configuration, as it was synthesized or as a plan prints it: what it runs, waits for and names. The
 * address is that of a resource, `data.TYPE.NAME`, `provider.NAME` or, in a plan alone, `module.NAME` or `action.TYPE.NAME`.
 */
export interface Wiring {
  readonly address: string;
  /** Which member of a group it is; absent for all else. */
  readonly member?: Member;
  readonly provisioners: readonly Provisioner[];
  /** The addresses in its `depends_on`. */
  readonly after: readonly string[];
  /** What its expressions name, `aws_instance.broker-0-0.id`; one that does more than name something as it stands. */
  readonly references: readonly string[];
  /** The provider that it is made by, if that is told; of a provider its source. */
  readonly provider?: string;
  /** What else it would do: a connection, an action. Terraform does not print it in a plan. */
  readonly acts: readonly string[];
  /** The values that it is given. */
  readonly body: unknown;
}

/** A block that says nothing. */
export const nothingOf = (address: string): Wiring => ({
  address,
  provisioners: [],
  after: [],
  references: [],
  acts: [],
  body: {},
});

/** What a member of a group runs and waits for. */
export type MemberWiring = Wiring & { readonly member: Member };

export const isOfMember = (wiring: Wiring): wiring is MemberWiring => wiring.member !== undefined;

export interface Provisioner {
  readonly command: string;
  /** Absent where a plan is judged: Terraform does not print it there. */
  readonly when?: "create" | "destroy";
  /** What the command is given, by name. A value that is known only when it runs is its expression. */
  readonly environment: Readonly<Record<string, unknown>>;
  /** What else is set, such as `on_failure`, sorted. */
  readonly others: readonly string[];
}
