import type { ConsulClient } from "../../clients/consul/consul-client.js";
import type { Check, Member, Node } from "../../clients/consul/schemas.js";
import { isHostOf } from "../../rollout/observation/host-of.js";
import {
  isUnknown,
  type CatalogNode,
  type ConsulMember,
  type Observation,
} from "../../rollout/observation/observation.js";
import { hostName, parseGroupName, parseHostName } from "../../cluster/address.js";
import { ask, oneOf, unlessHidden } from "./ask.js";
import { consulRights } from "./consul-rights.js";
import { autopilotOf, MEMBER_STATES, raftPeersOf } from "./servers.js";

type ConsulObservation = Observation["consul"];

/**
 * What Consul says, in eight requests whatever the size of the cluster, and one more for each 64 hosts of a large group.
 * @param catalog asked by the caller, who needs it for the machines' addresses, too
 * @param wholePool whether the health of all of the group's pool is asked for
 */
export async function observeConsul(
  consul: ConsulClient,
  catalog: () => Promise<readonly Node[]>,
  group: string,
  wholePool = false,
): Promise<ConsulObservation> {
  const asked = (wholePool ? parseGroupName(group)?.pool : undefined) ?? group;
  const [rights, members, nodes, autopilot, raft, health, canTransferLeadership] = await Promise.all([
    ask(async () => consulRights(consul, await hostsIn(catalog, group))),
    ask(async () => (await consul.members()).map(memberOf)),
    ask(async () => (await catalog()).map(catalogNodeOf)),
    ask(async () => autopilotOf(await consul.autopilotHealth())),
    ask(async () => raftPeersOf(await consul.raftConfiguration())),
    ask(async () => checksOf(await consul.checks(filterFor(asked)), asked)),
    ask(() => consul.canTransferLeader()),
  ]);
  return {
    rights,
    members: unlessHidden(members, rights, ["node:read"]),
    catalog: unlessHidden(nodes, rights, ["node:read"]),
    autopilot,
    raft,
    health: unlessHidden(health, rights, ["node:read", "service:read"]),
    canTransferLeadership,
  };
}

/** Those of the catalog, and one at least: a catalog that is hidden or not known hides no right that is missing. */
async function hostsIn(catalog: () => Promise<readonly Node[]>, group: string): Promise<string[]> {
  const nodes = await ask(catalog);
  const found = isUnknown(nodes) ? [] : nodes.map(({ Node }) => Node).filter((host) => isHostOf(group, host));
  return [...new Set([hostName(group, 0), ...found])];
}

const memberOf = ({ Name, Addr, Status }: Member): ConsulMember => ({
  name: Name,
  address: Addr,
  status: oneOf(MEMBER_STATES, Status, `the state of Consul's member ${Name}`),
});

const catalogNodeOf = ({ ID, Node, Address, Meta }: Node): CatalogNode => ({
  id: ID,
  name: Node,
  address: Address,
  meta: Meta,
});

/** A cluster has thousands of checks; those of other groups would only cost time. */
const filterFor = (asked: string): string => `Node matches "^${asked}(-[012])?-[0-9]+$"`;

const CHECK_STATES = ["passing", "warning", "critical", "maintenance"] as const;

/** Whatever the filter left over. */
function checksOf(checks: readonly Check[], asked: string) {
  return checks
    .filter(({ Node }) => [parseHostName(Node)?.group, parseHostName(Node)?.pool].includes(asked))
    .map(({ Node, CheckID, ServiceName, Status }) => ({
      node: Node,
      id: CheckID,
      service: ServiceName,
      status: oneOf(CHECK_STATES, Status, `the state of the check ${CheckID} of ${Node}`),
    }));
}
