import { hostName, type MemberKind } from "../../cluster/address.js";
import {
  nothingDeployed,
  type Deployed,
  type DeployedGroup,
  type DeployedHost,
  type DeployedVolume,
  type Origin,
} from "../../cluster/deployed.js";
import { roleOf } from "../../cluster/groups.js";
import { groupBy, type OneOrMore } from "../group-by.js";
import { checkCluster, type Expected } from "./cluster-of-state.js";
import { MemberAttributes } from "./member-attributes.js";
import { readStateFormat } from "./state-format.js";
import { objectsOf, type StateObject } from "./state-object.js";

/**
 * What is deployed, from the text of a Terraform state of format 4. An address whose only object is an old one that is
 * still to be destroyed counts as deposed and not as there.
 * @throws IncompleteState when the text is cut off
 * @throws UserError when it is no state of this cluster that can be read
 */
export function parseState(text: string, expected: Expected): Deployed {
  const state = readStateFormat(text, expected.where);
  const origin: Origin = {
    kind: "state",
    where: expected.where,
    serial: state.serial,
    lineage: state.lineage,
  };
  const objects = objectsOf(state);
  if (objects.length === 0) return nothingDeployed(origin);
  checkCluster(objects, expected);

  const attributes = new MemberAttributes(expected.where);
  const groups = [...groupBy(objects.filter(isMember), ({ member }) => member.group).values()].map(
    (members) => deployedGroup(members, attributes),
  );
  attributes.done();
  return {
    origin,
    cluster: expected.cluster,
    groups: new Map(groups.map((group) => [group.name, group])),
    addresses: new Set(objects.filter(({ deposed }) => !deposed).map(({ address }) => address)),
    ids: new Map(objects.filter(isMember).flatMap(idOf)),
  };
}

type MemberObject = StateObject & { readonly member: NonNullable<StateObject["member"]> };

const isMember = (object: StateObject): object is MemberObject => object.member !== undefined;

const idOf = ({ address, deposed, attributes: { id } }: StateObject): [string, string][] =>
  deposed || typeof id !== "string" ? [] : [[address, id]];

function deployedGroup(members: OneOrMore<MemberObject>, attributes: MemberAttributes): DeployedGroup {
  const { pool, index, group } = members[0].member;
  const present = members.filter(({ deposed }) => !deposed);
  const ofKind = (kind: MemberKind): MemberObject[] =>
    present
      .filter(({ member }) => member.kind === kind)
      .sort((a, b) => (a.member.host ?? 0) - (b.member.host ?? 0));

  const byHost = <Kind extends "config-consul" | "start-agents">(kind: Kind) =>
    new Map(ofKind(kind).map((each) => [each.member.host, attributes.read(kind, each)]));
  const [configConsuls, startAgents] = [byHost("config-consul"), byHost("start-agents")];
  const [revision] = ofKind("revision").map((each) => attributes.read("revision", each));
  const [ready] = ofKind("ready").map((each) => attributes.read("ready", each));
  const [leave] = ofKind("leave");
  return {
    name: group,
    pool,
    index,
    role: roleOf(pool),
    hosts: ofKind("host").flatMap((each): DeployedHost[] => {
      const { host: number = 0 } = each.member;
      const host = attributes.read("host", each);
      if (!host) return [];
      const hooks = { configConsul: configConsuls.get(number), startAgents: startAgents.get(number) };
      return [{ number, name: hostName(group, number), ...host, ...hooks }];
    }),
    volumes: ofKind("data").flatMap((each): DeployedVolume[] => {
      const volume = attributes.read("data", each);
      return volume ? [{ host: each.member.host ?? 0, ...volume }] : [];
    }),
    revisions: revision?.revisions ?? [],
    ready,
    completed: revision?.completed,
    leave: leave !== undefined,
    leaveFor: leave && attributes.read("leave", leave),
    tainted: addressesOf(members.filter(({ tainted, deposed }) => tainted && !deposed)),
    deposed: addressesOf(members.filter(({ deposed }) => deposed)),
  };
}

const addressesOf = (objects: readonly StateObject[]): string[] =>
  [...new Set(objects.map(({ address }) => address))].sort();
