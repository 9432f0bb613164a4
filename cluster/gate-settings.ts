import { parseGroupName } from "./address.js";
import type { Revision } from "./revision.js";
import { durationSeconds } from "./yaml/duration.js";
import {
  STEP_LISTS,
  type SCOPES,
  type ActionSpec,
  type CheckSpec,
  type StepSpec,
} from "./yaml/gate-schema.js";
import { roleOf, settingsOf, type Group } from "./groups.js";
import type { Spec } from "./yaml/schema.js";

/** How the groups of a pool leave and become ready, with every default filled in and durations in seconds. */
export interface GateSettings {
  readonly workload: "moves" | "stays";
  /** How many machines of a group `rollout deploy` replaces at once; Infinity: all of them. */
  readonly maxUnavailable: number;
  /** How many it may make beyond a group's number before old ones leave. */
  readonly maxSurge: number;
  readonly drain: { readonly deadlineSeconds: number; readonly onDeadline: "fail" | "accept" };
  readonly ready: { readonly timeoutSeconds: number; readonly checks: readonly Check[] };
  /** `firstSeconds` is for the first group of the pool that is rolled to an image. */
  readonly bake: { readonly seconds: number; readonly firstSeconds: number };
  /** In the order in which a roll comes to them. */
  readonly steps: readonly PoolStep[];
}

/** What a pool has asked or run. Placeholders (`{host}`) are not filled in: see {@link fillIn}. */
export type Action = {
  readonly name: string;
  readonly scope: (typeof SCOPES)[number];
  readonly timeoutSeconds: number;
  /** What the answer or the output has to contain. */
  readonly contains?: string | undefined;
} & (
  | {
      readonly kind: "http";
      readonly url: string;
      readonly status: number;
      /** The environment variable of each header. */
      readonly headers: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "command";
      readonly command: readonly string[];
      readonly exitCode: number;
      /** The environment variables that it gets. */
      readonly env: readonly string[];
    }
);

/** An action that is repeated until it passes. */
export type Check = Action & { readonly intervalSeconds: number; readonly when?: "after" | undefined };

export type StepList = (typeof STEP_LISTS)[number];

/** An action that is run once in a roll. */
type PoolStep = Action & {
  readonly list: StepList;
  /** `step silence (beforeLeave)` */
  readonly title: string;
  readonly onFailure: "stop" | "continue";
  readonly undo?: Action | undefined;
};

const NO_DRAIN = { deadline: "1h", onDeadline: "fail" } as const;

/** What the spec says of the groups of a pool. */
export function gateSettingsOf(pool: string, spec: Spec): GateSettings {
  const settings = settingsOf(pool, spec);
  const { ready, bake, steps, maxSurge = 0 } = settings;
  const drain = roleOf(pool) === "client" ? (settings.drain ?? NO_DRAIN) : NO_DRAIN;
  return {
    workload: settings.workload ?? "moves",
    maxUnavailable: settings.maxUnavailable ?? (roleOf(pool) !== "client" ? 1 : maxSurge > 0 ? 0 : Infinity),
    maxSurge,
    drain: { deadlineSeconds: durationSeconds(drain.deadline), onDeadline: drain.onDeadline },
    ready: { timeoutSeconds: durationSeconds(ready.timeout), checks: ready.checks.map(checkOf) },
    bake: {
      seconds: durationSeconds(bake.time),
      firstSeconds: durationSeconds(bake.first ?? bake.time),
    },
    steps: STEP_LISTS.flatMap((list) => steps[list].map((step) => stepOf(step, list))),
  };
}

/** How many machines of a group go together: `at once`, `2 at a time`, `1 new first`. */
export const describePace = ({
  maxSurge,
  maxUnavailable,
}: Pick<GateSettings, "maxSurge" | "maxUnavailable">): string =>
  maxSurge > 0
    ? `${String(maxSurge)} new first`
    : Number.isFinite(maxUnavailable)
      ? `${String(maxUnavailable)} at a time`
      : "at once";

/**
 * How long a group has to stay ready: the first of its pool to run an image for longer.
 * @param deployed the deployed groups
 */
export function bakeSecondsOf(group: Group, spec: Spec, deployed: readonly RunImages[]): number {
  const { seconds, firstSeconds } = gateSettingsOf(group.pool, spec).bake;
  return isCanary(group, deployed) ? firstSeconds : seconds;
}

/** The undo of each step of a group, by title. Of a group that the spec has no more there is none. */
export function undosOf(group: string, spec: Spec): ReadonlyMap<string, Action> {
  const pool = parseGroupName(group)?.pool ?? "";
  const steps = pool in spec.pools ? gateSettingsOf(pool, spec).steps : [];
  return new Map(steps.flatMap(({ title, undo }) => (undo ? [[title, undo]] : [])));
}

const checkOf = (check: CheckSpec): Check => ({
  ...actionOf(check),
  intervalSeconds: durationSeconds(check.interval),
  when: check.when,
});

const stepOf = ({ onFailure, undo, ...step }: StepSpec, list: StepList): PoolStep => ({
  ...{ ...actionOf(step), list, title: `step ${step.name} (${list})`, onFailure },
  undo: undo && actionOf({ ...undo, name: step.name, scope: step.scope }),
});

function actionOf(action: ActionSpec): Action {
  const { name, scope = "machine", http: url, status = 200, command = [], expect } = action;
  const common = {
    name,
    scope,
    timeoutSeconds: durationSeconds(action.timeout),
    contains: url === undefined ? expect?.contains : action.contains,
  };
  return url === undefined
    ? { ...common, kind: "command", command, exitCode: expect?.exitCode ?? 0, env: action.env ?? [] }
    : { ...common, kind: "http", url, status, headers: action.headers ?? {} };
}

/** What stands for a placeholder. Those of several machines have commas between. */
export interface Values {
  readonly group: string;
  readonly host?: string;
  readonly address?: string;
  readonly hosts?: string;
  readonly addresses?: string;
}

/** Puts values in the place of `{host}` and its like; what is put in is not read again. */
export const fillIn = (text: string, values: Values): string =>
  text.replace(
    /\{(hosts?|address(?:es)?|group)\}/g,
    (placeholder, name: keyof Values) => values[name] ?? placeholder,
  );

/** A deployed group, by its name, and the images that its revisions name. */
export interface RunImages {
  readonly name: string;
  readonly images: readonly string[];
}

/** The images of some revisions, each once. */
export const imagesOf = (revisions: readonly Revision[]): string[] => [
  ...new Set(revisions.map(({ image }) => image)),
];

/**
 * Whether a group is the first of its pool to run an image: no group of the pool has a revision of it, and a revision is
 * written only once a gate has passed. A group that comes anew is none, since nobody rolls it.
 * @param deployed the deployed groups
 */
export function isCanary(
  group: { readonly name: string; readonly pool: string; readonly image: string },
  deployed: readonly RunImages[],
): boolean {
  const ofPool = deployed.filter(({ name }) => parseGroupName(name)?.pool === group.pool);
  return (
    ofPool.some(({ name }) => name === group.name) &&
    !ofPool.some(({ images }) => images.includes(group.image))
  );
}
