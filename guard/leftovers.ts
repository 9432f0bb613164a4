import { isDeepStrictEqual } from "node:util";
import type { ClusterState } from "../cluster/cluster-state.js";
import { forgetBlocks, leftoversOf, type Leftovers } from "../cluster/retiring.js";
import type { Change } from "./change.js";
import type { Proposal } from "./proposal.js";

type Question = ClusterState & Pick<Proposal, "target">;

/** What is left of pools that have retired, where it may go: in the cluster view alone. */
export const leftoversIn = ({ spec, deployed, target }: Question): Leftovers[] =>
  target === undefined ? leftoversOf(spec, deployed) : [];

/** Whether a change is the end of such a leftover. What becomes of data volumes is a rule of its own. */
export function isEndOfLeftover(proposal: Question): (change: Change) => boolean {
  const addresses = new Set(leftoversIn(proposal).flatMap(({ addresses }) => [...addresses]));
  return ({ address, action }) => (action === "delete" || action === "forget") && addresses.has(address);
}

/** The addresses that `removed` blocks let go of; undefined where these are not the ones that this program renders. */
export function forgottenBy(removed: unknown, proposal: Question): readonly string[] | undefined {
  if (removed === undefined) return [];
  const leftovers = leftoversIn(proposal);
  if (!isDeepStrictEqual(removed, forgetBlocks(leftovers))) return undefined;
  return leftovers.filter(({ retire }) => retire === "keep-volumes").flatMap(({ volumes }) => volumes);
}
