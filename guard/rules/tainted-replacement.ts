import { isTainted } from "../change.js";
import type { Rule } from "../proposal.js";

/**
 * What is tainted is replaced without its destroy hooks. So a tainted `leave` or `lb-drained` means that work would not
 * leave, and a tainted member of a foreign group would be replaced by whatever view comes first.
 */
export const taintedReplacement: Rule = ({ changes, target, deployed }) => {
  const tainted = changes.filter(
    (change) => change.group !== undefined && change.planned !== undefined && isTainted(change, deployed),
  );
  const foreign = tainted.filter(
    ({ group, member }) => group !== target && target !== undefined && member?.kind !== "config-consul",
  );
  const silent = tainted.filter(
    ({ group, member }) => group === target && (member?.kind === "leave" || member?.kind === "lb-drained"),
  );
  return [
    ...foreign.map(({ address, group }) => ({
      rule: "tainted-replacement" as const,
      subjects: [address],
      message: `${address} is tainted, and any view would replace it, though it is ${String(group)}'s`,
      remedy: `finish ${String(group)} first with: cdktf deploy ${String(group)}`,
    })),
    ...silent.map(({ address }) => ({
      rule: "tainted-replacement" as const,
      subjects: [address],
      message: `${address} is tainted, so it would be replaced without its hook, and no work would leave`,
      remedy: `run: terraform untaint ${address}`,
    })),
  ];
};
