import { isDeepStrictEqual } from "node:util";
import { clusterOf } from "../../cluster/members.js";
import { parseAddress } from "../../cluster/address.js";
import { groupsOf } from "../../cluster/groups.js";
import { localPathOf, s3BackendBlock } from "../../cluster/backend.js";
import {
  BASE_VARIABLE,
  GATE_VARIABLE,
  NUMBERS_VARIABLE,
  OWN_VARIABLE,
  VIEW_VARIABLE,
  WAITING_VARIABLE,
} from "../../cluster/hooks/variables.js";
import type { Deployed } from "../../cluster/deployed.js";
import { own } from "../../cluster/raw.js";
import type { Backend } from "../../cluster/yaml/schema.js";
import type { DeclaredResource } from "../declared.js";
import type { Plan } from "../plan/plan.js";
import { numbered, type Proposal, type Rule } from "../proposal.js";
import type { StackHeader } from "../stack-header.js";
import { refuse, violation, type Violation } from "../verdict.js";

/** A plan is of this cluster, and of what is deployed now: an old one could take a group back. */
export const baseRevision: Rule = (proposal) => {
  const { plan, deployed } = proposal;
  if (!plan) return headerDiffers(proposal);
  return [
    ...viewMissing(plan),
    ...viewUnknown(proposal),
    ...revisionsDiffer(plan, deployed),
    ...membersDiffer(plan, deployed),
    ...notDeployed(plan, deployed),
  ];
};

/** The violation of a plan that is not of this cluster: then nothing else about it can be told. */
export function otherCluster({ plan, spec }: Proposal): Violation | undefined {
  const names = new Set(
    (plan?.resources ?? []).flatMap(({ before, after }) => [clusterOf(before), clusterOf(after)]),
  );
  const others = [...names].filter((name) => name !== undefined && name !== spec.name);
  if (others.length === 0) return undefined;
  return {
    rule: "base-revision",
    subjects: others.filter((name) => name !== undefined).sort(),
    message: `the plan is of the cluster ${others.join(", ")}, the spec is of ${spec.name}`,
    remedy: "name that cluster's spec by CLUSTER=FILE",
  };
}

/** The view that a plan will name, what it was made from, and where its state lies, whatever an override says. */
function headerDiffers(proposal: Proposal): Violation[] {
  const { header, declared, view, spec, deployed, laterHosts = [], specFolder } = proposal;
  const rolled = groupsOf(spec).find(({ name }) => name === proposal.target);
  if (!header) return [];
  const base = Object.fromEntries(
    [...deployed.groups.values()].map(({ name, revisions }) => [name, revisions.at(-1)?.number ?? 0]),
  );
  const wrong = [
    ...(header.view === view ? [] : [`variable.${VIEW_VARIABLE}`]),
    ...(isDeepStrictEqual(header.base, base) ? [] : [`variable.${BASE_VARIABLE}`]),
    ...(header.gate === "open" ? [] : [`variable.${GATE_VARIABLE}`]),
    ...(isDeepStrictEqual(header.laterHosts, laterHosts.length > 0 ? laterHosts : undefined)
      ? []
      : [`variable.${WAITING_VARIABLE}`]),
    ...(isDeepStrictEqual(header.numbers, rolled && numbered(rolled, proposal).numbers)
      ? []
      : [`variable.${NUMBERS_VARIABLE}`]),
    ...(isDeepStrictEqual(header.own ?? {}, ownPaths(declared)) ? [] : [`variable.${OWN_VARIABLE}`]),
    ...(isBackendOf(spec.backend, specFolder, header.backends) ? [] : ["terraform.backend"]),
  ];
  return refuse("base-revision", wrong, {
    message: `the view ${view} would say otherwise than it was made from`,
    remedy: "leave them as they are rendered; the backend belongs in cluster.yaml",
  });
}

/** Where the resources of the user's own stand, by address. What was written by an override stands nowhere. */
const ownPaths = (declared: readonly DeclaredResource[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    declared.flatMap(({ address, path }) => {
      const [, ...below] = path.split("/");
      const isOwn = below.length > 0 && below[0] !== "shared" && below[0] !== "pools";
      return isOwn ? [[address, below.join("/")] as const] : [];
    }),
  );

function isBackendOf(
  backend: Backend,
  specFolder: string | undefined,
  { [backend.type]: body, ...others }: StackHeader["backends"],
): boolean {
  if (Object.keys(others).length > 0) return false;
  if (backend.type === "s3") return isDeepStrictEqual(body, s3BackendBlock(backend));
  // Of a saved plan nobody knows the folder; that its state is the deployed one is told by the ids in it.
  if (specFolder === undefined) return body !== undefined;
  return isDeepStrictEqual(body, { path: localPathOf(backend, specFolder) });
}

function viewMissing({ view }: Plan): Violation[] {
  if (view !== undefined) return [];
  return violation("base-revision", [], {
    message: `the plan does not say which view it is of (it has no variable ${VIEW_VARIABLE})`,
    remedy: "plan a stack that this program synthesized",
  });
}

/** Every rule of a group asks the spec for it, so that one of another name would pass them all. */
function viewUnknown({ plan, view, target, spec }: Proposal): Violation[] {
  if (plan?.view === undefined || target === undefined) return [];
  if (groupsOf(spec).some(({ name }) => name === target)) return [];
  return violation("base-revision", [view], {
    message: `the plan is of the view ${view}, and the spec has no group of this name`,
    remedy: "put its pool back, or plan the view of a group that the spec has",
  });
}

function revisionsDiffer({ base, view }: Plan, { groups, origin }: Deployed): Violation[] {
  if (view === undefined || origin.kind === "spec") return [];
  const stale = [...new Set([...base.keys(), ...groups.keys()])].flatMap((name) => {
    const now = groups.get(name)?.revisions.at(-1)?.number ?? (groups.has(name) ? 0 : undefined);
    const then = base.get(name);
    return now === then
      ? []
      : [`${name} (revision ${String(then ?? "none")}, deployed is ${String(now ?? "none")})`];
  });
  return refuse("base-revision", stale, {
    message: "the plan was made from an older or another state",
    remedy: "synthesize and plan again",
  });
}

/** Members are what they are in the state: in another one they could be those of other groups. */
function membersDiffer({ resources }: Plan, { ids }: Deployed): Violation[] {
  const changed = resources.flatMap(({ address, before, deposed }) => {
    const known = ids?.get(address);
    const id = own(before, "id");
    return known === undefined || typeof id !== "string" || id === known || deposed !== undefined
      ? []
      : [`${address} (${id}, deployed is ${known})`];
  });
  return refuse("base-revision", changed, {
    message: "the plan was made from another state than is deployed",
    remedy: "synthesize and plan again",
  });
}

/**
 * What was there when the plan was made, and is not in the state; and what is there, and would be made once more. Of members
 * other rules say the latter, and the view of a group makes anew what is gone of it.
 */
function notDeployed({ resources, drift, view }: Plan, { addresses, origin }: Deployed): Violation[] {
  if (view === undefined || origin.kind === "spec") return [];
  const current = resources.filter(({ deposed }) => deposed === undefined);
  const gone = new Set(drift.flatMap(({ address, action }) => (action === "delete" ? [address] : [])));
  const unknown = current.filter(({ address, before }) => before !== null && !addresses.has(address));
  const twice = current.filter(
    ({ address, before, after }) =>
      before === null &&
      after !== null &&
      addresses.has(address) &&
      !parseAddress(address) &&
      !gone.has(address),
  );
  const of = (found: typeof current, holds: string): Violation[] =>
    refuse(
      "base-revision",
      found.map(({ address }) => address),
      {
        message: `the plan was made from another state than is deployed, which ${holds}`,
        remedy: "synthesize and plan again",
      },
    );
  return [...of(unknown, "does not hold"), ...of(twice, "holds already")];
}
