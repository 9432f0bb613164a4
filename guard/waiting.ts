import { hostName, type Member } from "../cluster/address.js";
import type { Proposal } from "./proposal.js";

/** Whether something belongs to a host of the target that keeps its machine in this view, and goes with a later batch. */
export const isWaiting = (
  { waiting = [], target }: Pick<Proposal, "waiting" | "target">,
  { group, host }: Pick<Member, "group" | "host">,
): boolean => host !== undefined && group === target && waiting.includes(hostName(group, host));
