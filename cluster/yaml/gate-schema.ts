import * as z from "zod";
import { duration, filled, text, whole } from "./schema-values.js";

/** What an action is about, and what it may name instead of writing that out. */
export const PLACEHOLDERS = {
  machine: ["{host}", "{address}", "{group}"],
  group: ["{group}", "{hosts}", "{addresses}"],
  pool: ["{group}", "{hosts}", "{addresses}"],
} as const;

export const SCOPES = ["machine", "group", "pool"] as const;

const COMMAND = "a list of a program and its arguments, such as [mqadmin, haStatus, -b, '{address}:10911']";

const answer = filled("a text that the answer has to contain");

const variable = text(/^[A-Za-z_][A-Za-z0-9_]*$/, "the name of an environment variable, such as KAFKA_OPTS");

/**
 * What is asked or run, repeated or once. One kind or the other: `http` with what belongs to it, or `command` with `expect` and
 * `env`. `gate-rules.ts` sees to that.
 */
const action = {
  name: text(
    /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/,
    "a name in lower-case letters, digits and single hyphens, such as replicas-in-sync",
  )
    .max(40, { error: "a name of at most 40 characters" })
    .describe("What it proves or does; it stands in the output while it is waited for."),
  http: text(/^https?:\/\/[^\s]+$/, "a URL of http or https, such as http://{address}:8080/health")
    .optional()
    .describe(
      "A URL to GET; {host}, {address} and {group} stand for the machine's own, {hosts} and {addresses} in the other scopes for all, with commas between. Either http or command. Default: none.",
    ),
  status: whole(100, 599).optional().describe("Of http: the status that is expected. Default: 200."),
  contains: answer
    .optional()
    .describe("Of http: a text that the answer has to contain. Default: any answer will do."),
  headers: z
    .record(text(/^[A-Za-z0-9-]+$/, "the name of a header, such as Authorization"), variable, {
      error: "headers and the environment variables that hold them, such as { Authorization: SEARCH_AUTH }",
    })
    .optional()
    .describe("Of http: headers, each with the environment variable that holds its value. Default: none."),
  command: z
    .array(z.string({ error: "a text" }), { error: COMMAND })
    .min(1, { error: COMMAND })
    .optional()
    .describe(
      "A program and its arguments, run where rollout runs, without a shell; placeholders as in http. Either http or command. Default: none.",
    ),
  expect: z
    .strictObject({
      exitCode: whole(0, 255).default(0).describe("The exit code that is expected. Default: 0."),
      contains: answer
        .optional()
        .describe("A text that standard output has to contain. Default: any output will do."),
    })
    .optional()
    .describe("Of command: what is expected of it. Default: exit code 0."),
  env: z
    .array(variable, { error: "a list of environment variables, such as [KAFKA_OPTS]" })
    .optional()
    .describe(
      "Of command: the environment variables that it gets, besides PATH, HOME, LANG, TMPDIR and those of proxies; never the agents' tokens or AWS credentials of the roll. Default: none.",
    ),
  scope: z
    .enum(SCOPES, { error: `one of ${SCOPES.join(", ")}` })
    .optional()
    .describe(
      "What it is asked about: each machine, the group at once, or all of its pool. Default: machine.",
    ),
  timeout: duration("1s", "5m").default("5s").describe("How long one try may take. Default: 5s."),
};

const check = z.strictObject({
  ...action,
  interval: duration("1s", "10m").default("5s").describe("The pause between two tries. Default: 5s."),
  when: z
    .enum(["after"], { error: "after, or nothing at all" })
    .optional()
    .describe("after: it is not asked before a group leaves. Default: it is asked before and after."),
});

export const ready = z
  .strictObject({
    timeout: duration("10s", "24h")
      .default("15m")
      .describe("How long a new group may take to become ready, bake time not counted. Default: 15m."),
    checks: z
      .array(check, {
        error: "a list of checks, such as [{ name: answers, http: 'http://{address}:8080/' }]",
      })
      .default([])
      .describe(
        "The pool's own checks; all have to pass, on every machine of the group where they are about a machine. Default: [], none.",
      ),
  })
  .prefault({})
  .describe("What has to be so before a new group counts as ready, beyond what Consul and Nomad say.");

const undo = z.strictObject(action).omit({ name: true, scope: true });
const step = z.strictObject({
  ...action,
  onFailure: z.enum(["stop", "continue"]).default("stop").describe("What follows a failure. Default: stop."),
  undo: undo.optional().describe("Run for the same once the roll of the group has ended. Default: none."),
});

/** In the order in which a roll comes to them. */
export const STEP_LISTS = ["beforeLeave", "afterLeave", "afterReady"] as const;

const STEPS = "a list of steps, such as [{ name: silence, command: [silence, '{host}'] }]";
const stepsOf = (when: string) =>
  z.array(step, { error: STEPS }).default([]).describe(`Run one by one ${when}. Default: [], none.`);

export const steps = z
  .strictObject({
    beforeLeave: stepsOf("before anything of a group or a batch leaves"),
    afterLeave: stepsOf("when its work has left, before its machines go"),
    afterReady: stepsOf("when its gate has passed, before that is recorded"),
  })
  .prefault({})
  .describe("What is run in the roll of a group that stands, and again by a rerun.");

export const bake = z
  .strictObject({
    time: duration("0s", "24h")
      .default("30s")
      .describe("How long a group has to stay ready without a break. Default: 30s."),
    first: duration("0s", "24h")
      .optional()
      .describe(
        "The same for the first group of a pool that is rolled to an image; at least time. Default: as time.",
      ),
  })
  .prefault({})
  .describe("How long a group has to stay ready before it counts as rolled.");

export const drain = z
  .strictObject({
    deadline: duration("1s", "168h")
      .default("1h")
      .describe("How long work may take to leave a machine, after which Nomad stops it. Default: 1h."),
    onDeadline: z
      .enum(["fail", "accept"])
      .default("fail")
      .describe(
        "fail: a group whose work was stopped by the deadline is not replaced; accept: it is. Default: fail.",
      ),
  })
  .prefault({})
  .describe("How work leaves the machines of a group.");

export type CheckSpec = z.output<typeof check>;
export type StepSpec = z.output<typeof step>;
export type ActionSpec = Omit<CheckSpec, "interval" | "when">;
