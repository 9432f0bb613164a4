import { hostName, parseAddress, type Member } from "../cluster/address.js";
import type { ClusterState } from "../cluster/cluster-state.js";
import type { Group } from "../cluster/groups.js";
import { withNumbers } from "../cluster/numbers.js";
import type { Change } from "./change.js";
import type { DeclaredResource } from "./declared.js";
import type { Plan } from "./plan/plan.js";
import type { StackHeader } from "./stack-header.js";
import type { Violation } from "./verdict.js";
import type { Wiring } from "./wiring.js";

/** What is to be judged: what a view changes, what is deployed, and which group may change. */
export interface Proposal extends ClusterState {
  readonly view: string;
  /** The one group that may change; undefined for the cluster view, which creates new ones. */
  readonly target: string | undefined;
  /** The folder of the spec from that of the stack; absent where a plan is judged. */
  readonly specFolder?: string;
  /** The program that hooks call, from the folder of the stack; absent where a plan is judged. */
  readonly program?: string;
  readonly changes: readonly Change[];
  /** What was synthesized; empty where a plan is judged. */
  readonly declared: readonly DeclaredResource[];
  /** What a synthesized stack says of itself; absent where a plan is judged. */
  readonly header?: StackHeader;
  /** What each block of the configuration runs, waits for and names. */
  readonly wiring: readonly Wiring[];
  /** Terraform's plan; absent at synth. */
  readonly plan?: Plan;
  /** The names of the target's hosts that keep their machines, and go with a later batch. Default: none. */
  readonly laterHosts?: readonly string[];
  /** The numbers of the target's hosts in this view. Default: those that are deployed, by {@link numbersOf}. */
  readonly numbers?: readonly number[] | undefined;
  /** Whether `rollout deploy` made the plan, which never replaces more machines at once than `maxUnavailable` says. */
  readonly inBatches?: boolean;
}

/** What of a proposal is known before a stack is synthesized. */
export type StateProposal = ClusterState &
  Pick<Proposal, "view" | "plan" | "target" | "laterHosts" | "numbers">;

/** A rule is a pure function that returns what breaks it. */
export type Rule = (proposal: Proposal) => readonly Violation[];

/** A group of the spec with the numbers that its hosts have in this view. */
export const numbered = (
  group: Group,
  { deployed, target, numbers }: Pick<Proposal, "deployed" | "target" | "numbers">,
): Group => withNumbers(group, deployed.groups.get(group.name), group.name === target ? numbers : undefined);

/** Whether something belongs to a host of the target that keeps its machine in this view, and goes with a later batch. */
export const isWaiting = (
  { laterHosts = [], target }: Pick<Proposal, "laterHosts" | "target">,
  { group, host }: Pick<Member, "group" | "host">,
): boolean => host !== undefined && group === target && laterHosts.includes(hostName(group, host));

/** A member of a group as it is declared, or as a plan leaves it. */
export interface Rendered {
  readonly address: string;
  readonly member: Member;
  readonly values: unknown;
  /** What a plan does with it; nothing is known of that at synth. */
  readonly actions: readonly string[] | undefined;
}

export const renderedMembers = ({ plan, declared }: Proposal): Rendered[] =>
  plan
    ? plan.resources.flatMap(({ address, after: values, deposed, actions }) => {
        const member = deposed === undefined && values !== null ? parseAddress(address) : undefined;
        return member ? [{ address, member, values, actions }] : [];
      })
    : declared.flatMap(({ address, member, body: values }) =>
        member ? [{ address, member, values, actions: undefined }] : [],
      );
