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
