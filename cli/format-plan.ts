import { parseAddress } from "../spec/address.js";
import type { PlanSummary } from "../rollout/plan-summary.js";

const SYMBOLS = { create: "  +", update: "  ~", replace: "-/+", delete: "  -", forget: "  ." } as const;

/** Machines first, then what hangs on them, then Terraform's own count. */
export function formatPlan(summary: PlanSummary): string {
  const { groups, changes, frozen, view } = summary;
  if (changes.length === 0) return `${view}: no changes, what is deployed is as desired`;
  const machines = groups.flatMap(({ name, machines: { created, replaced, updated, destroyed }, images }) => {
    const done = [
      ...(created > 0 ? [`${machinesOf(created)} created`] : []),
      ...(replaced > 0 ? [`${machinesOf(replaced)} replaced`] : []),
      ...(updated > 0 ? [`${machinesOf(updated)} changed in place`] : []),
      ...(destroyed > 0 ? [`${machinesOf(destroyed)} destroyed`] : []),
    ];
    return [
      `${name}: ${done.length > 0 ? done.join(", ") : "no machine is touched"}${images.length > 0 ? ` (${images.join(", ")})` : ""}`,
    ];
  });
  const told = changes.filter(({ address }) => parseAddress(address)?.kind === "config-consul").length;
  const count = (...wanted: readonly string[]): number =>
    changes.filter(({ action }) => wanted.includes(action)).length;
  return [
    ...machines,
    ...(told > 0
      ? [
          `config_consul: ${String(told)} ${told === 1 ? "machine is" : "machines are"} told of the Consul servers`,
        ]
      : []),
    ...(frozen.length > 0
      ? [`frozen: ${String(frozen.length)} ${frozen.length === 1 ? "group" : "groups"} (${ranges(frozen)})`]
      : []),
    "",
    ...changes.map(({ address, action }) => `${SYMBOLS[action]} ${address}`),
    "",
    `Terraform: ${String(count("create", "replace"))} to add, ${String(count("update"))} to change, ${String(count("delete", "replace"))} to destroy`,
  ].join("\n");
}

const machinesOf = (count: number): string =>
  count === 1 ? "1 machine is" : `${String(count)} machines are`;

/** `broker-1, broker-2, name-server-0 to -2` */
function ranges(groups: readonly string[]): string {
  const pools = [...new Set(groups.map((group) => group.slice(0, -2)))];
  return pools
    .flatMap((pool) => {
      const own = groups.filter((group) => group.slice(0, -2) === pool);
      return own.length === 3 ? [`${pool}-0 to -2`] : own;
    })
    .join(", ");
}
