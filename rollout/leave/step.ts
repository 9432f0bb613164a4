import { isUnknown } from "../observation/observation.js";
import { unknowns } from "../observation/known.js";
import { refused, type Finding } from "../preflight/finding.js";

/** What comes next on a group's way out. Computed from what is observed alone: ask again after each step. */
export type NextLeave = Next & Required<Noted>;

/** The same before all that is said of it is known. */
export type Next = (
  | { readonly kind: "step"; readonly step: LeaveStep }
  /**
   * Nothing is decided before these hosts' own agents are asked too, in one look with all the rest: Consul and Nomad take up
   * to 45 s to see that a server has died.
   */
  | { readonly kind: "look"; readonly agentsOf: readonly string[] }
  | { readonly kind: "done" }
  | { readonly kind: "blocked"; readonly findings: readonly Finding[] }
) &
  Noted;

interface Noted {
  readonly notes?: readonly string[];
}

/** One step. Doing it twice does no harm. */
export type LeaveStep = {
  /** Stable. The deadline counts from when a step of this name first came up in a row. */
  readonly name: string;
  /** What is done or waited for, one line. */
  readonly message: string;
  readonly deadlineSeconds: number;
} & (
  | {
      readonly action: "wait";
      /** What is still there, one line each. */
      readonly remaining: readonly string[];
    }
  | Action
);

type Action =
  | { readonly action: "deregister-targets"; readonly hosts: readonly string[] }
  | { readonly action: "mark-ineligible"; readonly nodes: readonly NodeRef[] }
  | {
      readonly action: "drain";
      readonly nodes: readonly NodeRef[];
      /** Positive always: Nomad takes 0 for none and a negative one for force. */
      readonly drainDeadlineSeconds: number;
    }
  | { readonly action: "consul-leave"; readonly hosts: readonly string[] }
  | { readonly action: "snapshot-consul" | "snapshot-nomad" }
  | { readonly action: "transfer-consul-leadership"; readonly to: ServerRef }
  | { readonly action: "remove-consul-peer"; readonly peer: ServerRef }
  | { readonly action: "transfer-nomad-leadership"; readonly to: ServerRef }
  | { readonly action: "stop-nomad-server"; readonly host: string }
  | { readonly action: "remove-nomad-peer"; readonly peer: ServerRef };

/** A node of Nomad, by its full id. */
export interface NodeRef {
  readonly id: string;
  readonly host: string;
}

/** A server of Consul or Nomad, by its raft id. */
export interface ServerRef {
  readonly id: string;
  readonly name: string;
}

/** @param next what is done; it is called after its action */
export const step = (next: Action & Pick<LeaveStep, "message" | "deadlineSeconds">): Next => ({
  kind: "step",
  step: { name: next.action, ...next },
});

export const blocked = (findings: readonly Finding[]): Next => ({ kind: "blocked", findings });

/** @param remaining what is still there */
export const wait = (
  name: string,
  message: string,
  remaining: readonly string[],
  deadlineSeconds: number,
): Next => ({ kind: "step", step: { name, action: "wait", message, remaining, deadlineSeconds } });

/** An election or a restart passes; what does not is named when the deadline has come, a refusal of the token at once. */
export function waitForAnswers(asked: object): Next {
  const findings = Object.entries(asked).flatMap(([subject, value]: readonly [string, unknown]) =>
    isUnknown(value) && value.refused === true ? [refused(subject, value)] : [],
  );
  if (findings.length > 0) return blocked(findings);
  return wait("wait-answers", "waiting for answers of Consul and Nomad", unknowns(asked), 120);
}
