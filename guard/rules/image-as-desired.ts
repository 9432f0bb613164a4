import { isDeepStrictEqual } from "node:util";
import { groupAddress, hostAddress, parseAddress } from "../../cluster/address.js";
import { groupsOf, hostNames, type Group } from "../../cluster/groups.js";
import { nextRevisions } from "../../cluster/revision.js";
import { ownSettings } from "../../cluster/template-hash.js";
import { otherOwn, otherSettings } from "../../cluster/machine-settings.js";
import { memberValues } from "../../cluster/members.js";
import { isNew } from "../../cluster/pending.js";
import { hostOf, ignoresAnything, ownOfHost } from "../declared.js";
import { own } from "../../cluster/raw.js";
import { plannedHost, type PlannedHost } from "../plan/planned-host.js";
import { type Proposal, type Rule, isWaiting, numbered } from "../proposal.js";
import { listed } from "../listed.js";
import { refuse, violation, type Violation } from "../verdict.js";

interface FutureHost extends PlannedHost {
  readonly address: string;
}

/** A group that may change gets what the spec says of it, and nothing that an escape hatch or an old plan says. */
export const imageAsDesired: Rule = (proposal) => {
  const { target, spec, deployed } = proposal;
  if (spec.protection === "off") return [];
  return groupsOf(spec).flatMap((group) => {
    const fresh = isNew(deployed.groups.get(group.name));
    if (target === undefined ? !fresh : target !== group.name || fresh) return [];
    return [
      ...otherwise(group, hostsOf(group, proposal), proposal),
      ...heldBack(group, proposal),
      ...recordedOtherwise(group, proposal),
    ];
  });
};

/** Machines that are to be replaced and would not be, once their work has left. */
function heldBack(group: Group, proposal: Proposal): Violation[] {
  const { declared, deployed } = proposal;
  const old = (deployed.groups.get(group.name)?.hosts ?? []).filter(({ hash }) => hash !== group.hash);
  const held = declared
    .filter(
      (resource) =>
        resource.group === group.name &&
        resource.member?.kind === "host" &&
        !isWaiting(proposal, resource.member) &&
        old.some(({ number }) => number === resource.member?.host) &&
        (resource.preventsDestroy || ignoresAnything(resource)),
    )
    .map(({ address }) => address);
  return refuse("image-as-desired", held, {
    message: `hosts of ${group.name} would stay as they are, though they are to be replaced`,
    remedy: "remove prevent_destroy and ignore_changes from them in this view",
  });
}

/** The hosts that a group would have. */
function hostsOf(group: Group, { plan, declared }: Proposal): FutureHost[] {
  if (!plan) {
    const own = declared.filter(
      (resource) => resource.group === group.name && resource.member?.kind === "host",
    );
    const isOwn = Object.keys(ownSettings(group)).length > 0;
    return own.map((resource) => ({
      address: resource.address,
      ...(isOwn ? ownOfHost(resource) : {}),
      ...hostOf(resource),
    }));
  }
  return plan.resources.flatMap(({ address, actions, after, deposed }) => {
    // Most resources are of other groups, and taking an address apart costs more than looking for a name in it.
    const member = address.includes(group.name) ? parseAddress(address) : undefined;
    const stays = !actions.includes("delete") || actions.includes("create");
    if (member?.kind !== "host" || member.group !== group.name || !stays || deposed !== undefined) return [];
    return [{ address, ...plannedHost(address, after) }];
  });
}

function otherwise(group: Group, hosts: readonly FutureHost[], proposal: Proposal): Violation[] {
  const { plan } = proposal;
  const wanted = hostNames(numbered(group, proposal));
  const strange = hosts
    .flatMap(({ address }) => address.split(".").slice(1))
    .filter((name) => !wanted.includes(name));
  const wrong = hosts.flatMap((host) => {
    if (isLeftAlone(group, host, proposal)) return [];
    const { address, image, instanceType, hash } = host;
    const differs = [
      ...difference("image", image, group.image),
      ...difference("instance type", instanceType, group.instanceType),
      ...difference("template hash", hash, group.hash),
      ...otherSettings(host, group, proposal.spec).map((key) => `another aws.${key}`),
      ...otherOwn(host, group, address.split(".")[1] ?? "", proposal.spec).map((key) => `other ${key}`),
    ];
    return differs.length > 0 ? [`${address} (${differs.join("; ")})`] : [];
  });
  return [
    ...refuse("image-as-desired", wrong, {
      message: `hosts of ${group.name} would be otherwise than the spec says`,
      remedy: plan
        ? "synthesize and plan again from the spec as it is now"
        : `change ${group.name} in cluster.yaml instead of overriding it`,
    }),
    ...(plan && (hosts.length !== wanted.length || strange.length > 0)
      ? violation("image-as-desired", [group.name], {
          message: `${group.name} would have ${String(hosts.length)} hosts${strange.length > 0 ? `, ${listed(strange)} among them` : ""}, desired ${String(wanted.length)}`,
          remedy: "synthesize and plan again from the spec as it is now",
        })
      : []),
  ];
}

/**
 * The history that a plan would write is the deployed one and the desired template: what an undo goes back to. With a
 * closed gate, which proves nothing, it is the deployed one.
 */
function recordedOtherwise(group: Group, { plan, deployed, spec, target }: Proposal): Violation[] {
  if (!plan || deployed.origin.kind === "spec") return [];
  const address = groupAddress(spec.platform, group.name, "revision");
  const record = plan.resources.find((resource) => resource.address === address);
  if (!record || record.after === null) return [];
  const { revisionHistoryLimit } = spec.rollout;
  const history = deployed.groups.get(group.name)?.revisions ?? [];
  const isClosed = target !== undefined && plan.gate === "closed";
  const wanted = isClosed ? history : nextRevisions(group, history, { revisionHistoryLimit, cause: "" });
  const { revisions: planned } = memberValues("revision", address, record.after);
  if (isDeepStrictEqual(withoutCauses(planned), withoutCauses(wanted))) return [];
  return violation("image-as-desired", [address], {
    message: isClosed
      ? `the history of ${group.name} would change though the gate is closed: ${address}`
      : `the history of ${group.name} would not end with what the spec says: ${address}`,
    remedy: "synthesize and plan again from the spec as it is now",
  });
}

function withoutCauses(revisions: unknown): unknown {
  if (!Array.isArray(revisions)) return "no history";
  return revisions.map((revision: unknown) =>
    ["version", "number", "image", "hash", "generation", "template", "hosts"].map((key) =>
      own(revision, key),
    ),
  );
}

/**
 * A host of the desired template stays as it is, even if somebody has changed its type: drift is not ours to count. So does
 * one that waits for a later batch.
 */
function isLeftAlone(group: Group, host: FutureHost, proposal: Proposal): boolean {
  const { deployed, spec } = proposal;
  const current = deployed.groups
    .get(group.name)
    ?.hosts.find(({ number }) => hostAddress(spec.platform, group.name, number, "host") === host.address);
  if (!current) return false;
  const stays =
    current.hash === group.hash || isWaiting(proposal, { group: group.name, host: current.number });
  return (
    stays &&
    host.hash === current.hash &&
    host.image === current.image &&
    host.instanceType === current.instanceType
  );
}

function difference(what: string, value: string | undefined, desired: string): string[] {
  return value === desired ? [] : [`${what} ${value ?? "known after apply"}, desired ${desired}`];
}
