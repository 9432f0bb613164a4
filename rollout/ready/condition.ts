import { isUnknown, type Observed } from "../observation/observation.js";

/** One thing that has to be so before a group counts as ready. */
export interface Condition {
  /** Stable: `nodes-eligible`. */
  readonly name: string;
  /** `unknown` is what could not be asked: it does not pass, and is told apart from what failed. */
  readonly status: "met" | "unmet" | "unknown";
  /** What is in the way; what has been proven, where it is met. */
  readonly reason: string;
  /** The last value, short: `2 of 3`. */
  readonly value: string;
}

type Judged = (name: string, reason: string, value: string) => Condition;

export const met: Judged = (name, reason, value) => ({ name, status: "met", reason, value });

export const unmet: Judged = (name, reason, value) => ({ name, status: "unmet", reason, value });

export const unknown = (name: string, reason: string, value = "unknown"): Condition => ({
  name,
  status: "unknown",
  reason,
  value,
});

/** What one host says to a condition: an objection, why it could not be asked, or nothing where it is met. */
export type Objection = { readonly unmet: string } | { readonly unknown: string } | undefined;

/**
 * A condition that every host has to meet. No host at all does not meet it.
 * @param proven what it proves, `runs the image ami-0bbb`
 */
export function everyHost(
  name: string,
  hosts: readonly string[],
  proven: string,
  judge: (host: string) => Objection,
): Condition {
  const judged = hosts.map((host) => ({ host, objection: judge(host) }));
  const passed = judged.filter(({ objection }) => objection === undefined).length;
  const value = `${String(passed)} of ${String(hosts.length)}`;
  const said = (key: "unmet" | "unknown"): string[] =>
    judged.flatMap(({ host, objection }) =>
      objection && key in objection ? [`${host}: ${Object.values(objection).join("")}`] : [],
    );
  if (hosts.length === 0) return unmet(name, "the group has no host", value);
  if (said("unmet").length > 0) return unmet(name, said("unmet").join("; "), value);
  if (said("unknown").length > 0) return unknown(name, said("unknown").join("; "), value);
  return met(name, `every host ${proven}`, value);
}

/** A condition on what may not have been askable. */
export function asked<T>(name: string, observed: Observed<T>, judge: (value: T) => Condition): Condition {
  return isUnknown(observed) ? unknown(name, observed.unknown) : judge(observed);
}
