import { faultsOf, type Phase, type Rehearsal, type RehearsalStep } from "../../rehearsal/report.js";
import { formatTable } from "./table.js";
import { WIDTH, wrap } from "./wrap.js";
import { tenths } from "./tenths.js";

/** A rehearsal for people, at most 80 columns wide. */
export function formatRehearsal(rehearsal: Rehearsal): string {
  const { verdict, cluster, seconds, leftOut, kept } = rehearsal;
  const faults = faultsOf(rehearsal);
  return [
    `rehearsal of ${cluster}: ${verdict}, in ${tenths(seconds)}`,
    ...wrap(describe(rehearsal)),
    ...rehearsal.steps.flatMap((step) => ["", ...formatStep(step)]),
    "",
    ...formatLoad(rehearsal),
    ...(leftOut.length > 0
      ? ["", "other than in the spec:", ...leftOut.flatMap((line) => indented(line))]
      : []),
    ...(faults.length > 0 ? ["", "not as it should be:", ...faults.flatMap((line) => indented(line))] : []),
    "",
    ...(kept ? formatKept(kept) : ["Everything is stopped and removed."]),
  ].join("\n");
}

function describe({ machines, agents, speed, terraform }: Rehearsal): string {
  const living =
    agents === "simulated"
      ? `simulated agents that live ${String(speed)} times as fast: 1 s here is ${String(speed)} s there`
      : "real agents";
  return `${String(machines)} machines on this one, with ${living}; ${terraform}`;
}

function formatStep(step: RehearsalStep): string[] {
  return [
    headed(titleOf(step), tenths(step.seconds)),
    ...step.phases.map(formatPhase),
    ...(step.refusal === null ? [] : indented(step.refusal)),
    ...step.problems.flatMap((problem) => indented(`differs: ${problem}`)),
  ];
}

function titleOf({ step, group, change, machines }: RehearsalStep): string {
  const count = `${String(machines.length)} machine${machines.length === 1 ? "" : "s"}`;
  if (step === "create") return `create the cluster: ${count}`;
  if (step === "roll") return `roll ${group ?? ""}: ${count}, ${change ?? ""}`;
  return `refuse a change of ${change ?? ""}`;
}

const headed = (title: string, right: string): string => `${title.padEnd(WIDTH - right.length - 1)} ${right}`;

const formatPhase = ({ what, count, begins, ends }: Phase): string =>
  `  ${begins.toFixed(1).padStart(6)} - ${ends.toFixed(1).padStart(5)} s  ${String(count).padStart(3)} x ${what}`;

function formatLoad({ load: { writes, reads, requests }, work }: Rehearsal): string[] {
  const row = (what: string, tally: Rehearsal["load"]["reads"]): string[] => [
    what,
    String(tally.tried),
    String(tally.failed),
    String(tally.triedAgain),
    tenths(tally.longest),
  ];
  const table = formatTable([
    ["under load", "asked", "failed", "tried again", "longest"],
    row("writes of Consul keys", writes),
    row("reads of Consul keys", reads),
    ...(requests ? [row("requests to the service", requests)] : []),
  ]);
  const errors = [writes, reads, requests].flatMap((tally) => tally?.firstError ?? []);
  return [
    ...table.split("\n"),
    `acknowledged writes lost: ${String(writes.lost.length)} of ${String(writes.acknowledged)}`,
    `work moved twice: ${String(work.movedTwice.length)} of ${String(work.moved)} moves`,
    ...work.movedTwice.flatMap((line) => indented(line)),
    ...(errors[0] === undefined ? [] : indented(`the first that did not succeed at once: ${errors[0]}`)),
  ];
}

const formatKept = ({ folder, consul, nomad }: NonNullable<Rehearsal["kept"]>): string[] => [
  "The cluster is kept:",
  `  folder  ${folder}`,
  ...urls("consul", consul),
  ...urls("nomad", nomad),
  "  status  CLUSTER=" + folder + "/cluster.yaml npx rollout status",
  "  remove  npx rollout rehearse --clean",
];

const urls = (what: string, list: string): string[] =>
  list.split(",").map((url, index) => `  ${(index === 0 ? what : "").padEnd(6)}  ${url}`);

/** Lines of a text, two columns in, wrapped. */
const indented = (text: string): string[] =>
  text.split("\n").flatMap((line) => wrap(line, WIDTH - 2).map((part) => `  ${part}`));
