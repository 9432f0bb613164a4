import type { Differing } from "../../cluster/machine-settings.js";

/** `broker-1, broker-2, name-server-0 to -2` */
export function groupRanges(groups: readonly string[]): string {
  const pools = [...new Set(groups.map((group) => group.slice(0, -2)))];
  return pools
    .flatMap((pool) => {
      const own = groups.filter((group) => group.slice(0, -2) === pool);
      return own.length === 3 ? [`${pool}-0 to -2`] : own;
    })
    .join(", ");
}

/** `differs: keyName of broker-0 to -2; reaches a group when it is rolled` */
export function describeDiffering(differs: readonly Differing[]): string[] {
  const all = differs.map(({ group, keys }) => ({ group, what: keys.join(", ") }));
  return [...new Set(all.map(({ what }) => what))].map((keys) => {
    const groups = all.filter(({ what }) => what === keys).map(({ group }) => group);
    return `differs: ${keys} of ${groupRanges(groups)}; reaches a group when it is rolled`;
  });
}
