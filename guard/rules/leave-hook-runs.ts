import { groupAddress } from "../../spec/address.js";
import { groupsOf, type Group } from "../../spec/groups.js";
import { deployedHash, isNew } from "../../spec/pending.js";
import { hasDestroyHook, triggersOf } from "../declared.js";
import type { Proposal, Rule } from "../proposal.js";
import type { Violation } from "../verdict.js";

/** No machine goes without the hook that makes its work leave, and a group that has left is replaced whole. */
export const leaveHookRuns: Rule = (proposal) => {
  const { target, spec, deployed } = proposal;
  if (spec.protection === "off") return [];
  return groupsOf(spec).flatMap((group) => {
    const mayChange = target === undefined ? isNew(deployed.groups.get(group.name)) : target === group.name;
    return mayChange && proposal.declared.some((resource) => resource.group === group.name)
      ? [...hookBroken(group, proposal), ...leftByHalf(group, proposal)]
      : [];
  });
};

function hookBroken(group: Group, { declared, spec }: Proposal): Violation[] {
  const address = groupAddress(spec.platform, group.name, "leave");
  const hook = declared.find((resource) => resource.address === address);
  const hash = hook && triggersOf(hook)["hash"];
  const why =
    hook === undefined
      ? "it is not declared"
      : !hasDestroyHook(hook)
        ? "it runs nothing when it is destroyed"
        : hook.ignoresChanges || hook.preventsDestroy
          ? "it is frozen in the view that must replace it"
          : hash !== group.hash
            ? `its trigger hash is ${String(hash)}, desired ${group.hash}`
            : undefined;
  if (why === undefined) return [];
  return [
    {
      rule: "leave-hook-runs",
      subjects: [address],
      message: `machines of ${group.name} could go before their work has left: ${address}: ${why}`,
      remedy: "leave the hook as it is rendered; remove the override",
    },
  ];
}

/** Once `leave` has run, machines of the template that left cannot stay: they are ineligible and out of Consul. */
function leftByHalf(group: Group, { deployed }: Proposal): Violation[] {
  const current = deployed.groups.get(group.name);
  if (!current || isNew(current) || current.leave || deployedHash(current) !== group.hash) return [];
  const left = current.hosts.filter(({ hash }) => hash === group.hash).map(({ name }) => name);
  if (left.length === 0) return [];
  return [
    {
      rule: "leave-hook-runs",
      subjects: left,
      message: `${group.name} has left, so these hosts cannot stay as they are: ${left.join(", ")}`,
      remedy: `raise generations[${String(group.index)}] of pool ${group.pool} to replace the group whole, or take the image that it was being rolled to`,
    },
  ];
}
