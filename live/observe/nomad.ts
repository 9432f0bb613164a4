import type { NomadClient } from "../../clients/nomad/nomad-client.js";
import type { Member, NodeStub } from "../../clients/nomad/schemas.js";
import {
  isUnknown,
  type NomadMember,
  type NomadRight,
  type Observation,
  type Observed,
  type Unknown,
} from "../../rollout/observation/observation.js";
import { isHostOf } from "../../rollout/observation/host-of.js";
import type { Role } from "../../cluster/groups.js";
import { UserError } from "../../cluster/user-error.js";
import { allocationsOn, groupNodeIds } from "./allocations.js";
import { ask, oneOf, unlessHidden, withBoth } from "./ask.js";
import { observeJobs } from "./jobs.js";
import { observeNodes } from "./nodes.js";
import { autopilotOf, MEMBER_STATES, raftPeersOf } from "./servers.js";

/**
 * What Nomad says: seven requests, one for each node of the group and one for each job that has work there. Other nodes
 * are known by what the list says of them.
 * @param before whether it is asked where the group's work could go: then every node of its node pools and volume is asked for
 */
export async function observeNomad(
  nomad: NomadClient,
  { group, role }: { readonly group: string; readonly role: Role },
  before = false,
): Promise<Observation["nomad"]> {
  const isClient = role === "client";
  const ofWork = <T>(question: () => Promise<T>): Promise<Observed<T>> =>
    isClient ? ask(question) : Promise.resolve(NOT_ASKED);
  const [rights, stubs, everything, list, volumes, members, autopilot, raft] = await Promise.all([
    ask(() => rightsIn(nomad)),
    ask(() => nomad.nodes({ resources: true })),
    ofWork(() => nomad.allocations({ resources: true })),
    ofWork(() => nomad.jobs()),
    before ? ofWork(() => nomad.csiVolumes()) : NOT_ASKED,
    ask(async () => (await nomad.members()).map(memberOf)),
    ask(async () => autopilotOf(await nomad.autopilotHealth())),
    ask(async () => raftPeersOf(await nomad.raftConfiguration())),
  ]);
  const seen = isClient ? unlessHidden(everything, rights, ["list-jobs", "read-job"]) : everything;
  const nodesOfGroup = isUnknown(stubs) ? stubs : groupNodeIds(stubs, group);
  const known = isUnknown(stubs) ? [] : stubs;
  const pools = known.flatMap(({ Name, NodePool }) => (isHostOf(group, Name) ? [NodePool] : []));
  const isWhole = ({ Name, Status, SchedulingEligibility: eligibility, NodePool }: NodeStub): boolean =>
    isHostOf(group, Name) ||
    (before && isClient && Status === "ready" && eligibility === "eligible" && pools.includes(NodePool));
  const [nodes, allocations, jobs] = await Promise.all([
    isUnknown(stubs)
      ? stubs
      : ask(() => observeNodes(nomad, stubs, isWhole, isUnknown(seen) ? undefined : seen)),
    withBoth(nodesOfGroup, seen, (ids, all) => Promise.resolve(allocationsOn(ids, all))),
    withBoth(nodesOfGroup, seen, (ids, all) =>
      isUnknown(list) ? Promise.resolve(list) : observeJobs(nomad, list, ids, all, volumes),
    ),
  ]);
  return { rights, nodes, allocations, jobs, members, autopilot, raft };
}

const NOT_ASKED: Unknown = { unknown: "not asked: servers run no work" };

/** @throws UserError where the servers do not say */
async function rightsIn(nomad: NomadClient): Promise<readonly NomadRight[]> {
  const rights = await nomad.rights();
  if (rights !== undefined) return rights;
  throw new UserError(
    "Nomad does not show what the policies of the token in NOMAD_TOKEN allow; use a token whose policies it may read, as it may by default, or a management token",
  );
}

const memberOf = ({ Name, Tags, Addr, Status }: Member): NomadMember => ({
  name: Name,
  id: Tags["id"] ?? "",
  address: Addr,
  version: Tags["build"] ?? "",
  status: oneOf(MEMBER_STATES, Status, `the state of Nomad's member ${Name}`),
});
