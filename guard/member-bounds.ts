import { isDeepStrictEqual } from "node:util";
import { groupAddress, hostAddress, parseAddress, type Member } from "../cluster/address.js";
import { roleOf } from "../cluster/groups.js";
import { rollIn } from "../cluster/hooks/marks.js";
import { memberValues } from "../cluster/members.js";
import {
  isBalancerAddress,
  isCallersOwn,
  isSharedAddress,
  machinesFirewall,
  providerSettings,
  subnetData,
} from "../cluster/shared-address.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { listed } from "./listed.js";
import { isUnchanged } from "./plan/plan-changes.js";
import { type Proposal, renderedMembers } from "./proposal.js";
import { addressIn } from "./references.js";
import { refuse, type Violation } from "./verdict.js";
import { isOfMember, type MemberWiring, type Wiring } from "./wiring.js";

/** Members of groups hang on what is theirs and on what this program shares among them, and on nothing else. */
export function memberBounds(proposal: Proposal): Violation[] {
  const { wiring, spec } = proposal;
  const members = wiring.filter(isOfMember);
  const beyond = [
    ...members.flatMap((each) => describe(each, [...namedBeyond(each, spec), ...madeOtherwise(each)])),
    ...wiring.flatMap((each) =>
      isSharedAddress(each.address, spec) ? describe(each, providerOtherwise(each)) : [],
    ),
    ...attachedElsewhere(proposal),
  ];
  const providers = wiring.flatMap((each) => describe(each, settingsOtherwise(each, spec)));
  return [
    ...refuse("unattributed-change", beyond, {
      message: "members of groups and shared parts would use what is not theirs",
      remedy: "leave them as they are rendered; remove the override",
    }),
    ...refuse("unattributed-change", providers, {
      message: "the providers of groups would be others than they are rendered with",
      remedy:
        "set them by cluster.yaml and the environment; what is your own may have a provider with an alias",
    }),
  ];
}

/** What a member names beside what is rendered. An expression that does more than name something is none of these. */
function namedBeyond({ member, references, after }: MemberWiring, spec: Spec): string[] {
  return [
    ...references.filter((reference) => !mayName(member, reference, spec)),
    ...after.filter((each) => !parseAddress(each) && !isSharedAddress(each, spec)),
  ];
}

function mayName({ kind, pool, group, index, host }: Member, reference: string, spec: Spec): boolean {
  // A variable names nothing itself, and its value is judged where it is used.
  if (reference.startsWith("var.")) return true;
  const address = addressIn(reference);
  const other = parseAddress(address);
  if (other) {
    const isServer = other.kind === "host" && roleOf(other.pool) === "consul-server";
    const isOwn = other.group === group && (host === undefined || other.host === host);
    const isTold = roleOf(pool) === "consul-server" && other.kind === "config-consul";
    return isOwn || (kind === "config-consul" && isServer) || (kind === "revision" && isTold);
  }
  switch (kind) {
    case "host":
      return address === machinesFirewall(spec);
    case "data":
      return address === subnetData(index, spec);
    case "target":
      return isBalancerAddress(address, pool, spec);
    case "revision":
      // In the condition by which it asks for marks, which is held against what is rendered.
      return (
        [`local.${group}-revision-by-gate`, "path.module"].includes(address) ||
        reference === rollIn(groupAddress(spec.platform, group, "ready"))
      );
    case "start-agents":
    case "config-consul":
    case "ready":
      // The name of a mark, likewise.
      return reference === "self" || reference === "self.id";
    default:
      return false;
  }
}

const madeOtherwise = (wiring: MemberWiring): string[] => [
  ...wiring.acts,
  ...Object.keys(wiring.body ?? {}).filter((key) => key === "dynamic" || key === "_"),
  ...providerOtherwise(wiring),
];

/** A provider of its own name is what a resource has unless it is told otherwise. */
function providerOtherwise({ address, provider }: Wiring): string[] {
  const [name = ""] = address.split("_");
  return provider === undefined || provider === name ? [] : [`provider ${provider}`];
}

const BUILT_IN = "terraform.io/builtin/terraform";

/** The providers that members are made by, their sources and settings. */
function settingsOtherwise({ address, provider, body }: Wiring, spec: Spec): string[] {
  const [block, name = "", alias] = address.split(".");
  if (block !== "provider" || alias !== undefined) return [];
  if (name === "terraform") return provider === BUILT_IN ? [] : [`source ${String(provider)}`];
  const settings = providerSettings(spec)[name];
  if (settings === undefined) return [];
  const told = Object.fromEntries(Object.entries(body ?? {}).filter(([key]) => !isCallersOwn(key)));
  const source = provider?.replace(/^(registry\.(terraform\.io|opentofu\.org)\/)?hashicorp\//, "") ?? name;
  return [
    ...(source === name ? [] : [`source ${String(provider)}`]),
    ...(isDeepStrictEqual(told, settings) ? [] : [`settings ${Object.keys(told).sort().join(", ")}`]),
  ];
}

/** A disk is attached to its own machine: detaching one stops the machine that it is attached to. */
function attachedElsewhere(proposal: Proposal): string[] {
  const { plan, spec } = proposal;
  const members = renderedMembers(proposal);
  const values = new Map(members.map((each) => [each.address, each.values]));
  return members.flatMap(({ address, member, values: given, actions }) => {
    const { kind, group, host } = member;
    // One that stays may be stale, as after a disk was restored by hand; it stops nothing.
    const stays = actions !== undefined && isUnchanged({ actions });
    if (stays || kind !== "data-attachment" || host === undefined) return [];
    const attached = memberValues("data-attachment", address, given);
    const wrong = (["host", "data"] as const).flatMap((kind) => {
      const own = hostAddress(spec.platform, group, host, kind);
      const id = plan ? memberValues(kind, own, values.get(own)).id : `\${${own}.id}`;
      const named = attached[kind];
      return id === undefined || named === undefined || id === named
        ? []
        : [`${JSON.stringify(named)}, not ${own}`];
    });
    return wrong.length === 0 ? [] : [`${address} (${wrong.join(", ")})`];
  });
}

const describe = ({ address }: Wiring, why: readonly string[]): string[] =>
  why.length === 0 ? [] : [`${address} (${listed([...new Set(why)].sort())})`];
