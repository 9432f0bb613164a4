import { parseAddress, type Member, type MemberKind } from "../cluster/address.js";
import type { Step } from "../cluster/run/run-log.js";
import { meaningOf } from "../rollout/roll/meaning.js";
import type { Phase } from "./report.js";

/** Seconds since the first step of a run. */
interface Times {
  readonly begins: number;
  readonly ends: number;
}

/** What an apply did with one resource. */
export interface Applied extends Times {
  readonly address: string;
  /** In Terraform's words: create, update, delete. */
  readonly action: string;
  /** The step of the driver that it belongs to. */
  readonly step: Step;
}

/** What a run did with a view. */
export interface Recorded {
  readonly steps: readonly DoneStep[];
  /** What Terraform did in all applies. */
  readonly applied: readonly Applied[];
}

/** A step that the driver has done. */
export interface DoneStep extends Times {
  readonly step: Step;
}

/** Of some steps it is shown what Terraform did in them. */
const MEANING: Readonly<Partial<Record<Step, string>>> = {
  preflight: "nothing speaks against the roll",
  plan: "planned, and accepted by the guard",
  leave: "work leaves, then the agents",
  gate: "ready, and held for the bake time",
};

/** These hooks find done what the driver has done before it called Terraform. */
const DONE_BEFORE: ReadonlySet<MemberKind> = new Set<MemberKind>(["leave", "ready"]);

/** How a group was rolled: one phase for each kind of event, in the order in which they began. */
export const phasesOfRoll = ({ steps, applied }: Recorded): Phase[] =>
  condensed([
    ...steps.map(({ step, ...times }) => ({ what: MEANING[step], ...times })),
    ...meant(applied, ({ kind }, { action, step }) =>
      DONE_BEFORE.has(kind) ? undefined : meaningOf(kind, action, step),
    ),
  ]);

/** In which order a cluster came: by pool, from its first machine until its groups were ready. */
export const phasesOfCreation = ({ applied }: Pick<Recorded, "applied">): Phase[] =>
  condensed(
    meant(applied, ({ pool, kind }, { action }) =>
      action === "create" && (kind === "host" || kind === "ready") ? `${pool}: ${CREATED[kind]}` : undefined,
    ),
  );

const CREATED = { host: "machines", ready: "groups ready" };

interface Timed extends Times {
  readonly what: string | undefined;
}

const meant = (
  applied: readonly Applied[],
  phaseOf: (member: Member, done: Applied) => string | undefined,
): Timed[] =>
  applied.map((done) => {
    const member = parseAddress(done.address);
    return { what: member && phaseOf(member, done), begins: done.begins, ends: done.ends };
  });

/** What means nothing is left out. */
function condensed(all: readonly Timed[]): Phase[] {
  const phases = new Map<string, Phase>();
  for (const { what, begins, ends } of all) {
    if (what === undefined) continue;
    const known = phases.get(what);
    phases.set(what, {
      what,
      count: (known?.count ?? 0) + 1,
      begins: Math.min(begins, known?.begins ?? begins),
      ends: Math.max(ends, known?.ends ?? ends),
    });
  }
  return [...phases.values()].sort((one, other) => one.begins - other.begins);
}
