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
export function phasesOfRoll({ steps, applied }: Recorded): Phase[] {
  const recording = steps.findLast(({ step }) => step === "record")?.begins ?? 0;
  // Before, with a closed gate, a revision says only which hooks have ended.
  const done = applied.filter(
    ({ address, begins }) => begins >= recording || parseAddress(address)?.kind !== "revision",
  );
  return condensed([
    ...steps.map(({ step, ...times }) => ({ what: MEANING[step], ...times })),
    ...meant(done, ({ kind }, action) => (DONE_BEFORE.has(kind) ? undefined : meaningOf(kind, action))),
  ]);
}

/** In which order a cluster came: by pool, from its first machine until its groups were ready. */
export const phasesOfCreation = ({ applied }: Pick<Recorded, "applied">): Phase[] =>
  condensed(
    meant(applied, ({ pool, kind }, action) =>
      action === "create" && (kind === "host" || kind === "ready") ? `${pool}: ${CREATED[kind]}` : undefined,
    ),
  );

const CREATED = { host: "machines", ready: "groups ready" };

interface Timed extends Times {
  readonly what: string | undefined;
}

const meant = (
  applied: readonly Applied[],
  phaseOf: (member: Member, action: Applied["action"]) => string | undefined,
): Timed[] =>
  applied.map(({ address, action, begins, ends }) => {
    const member = parseAddress(address);
    return { what: member && phaseOf(member, action), begins, ends };
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
