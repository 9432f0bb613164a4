import { expect, test } from "@jest/globals";
import { EXAMPLE, exampleWith, refusal, specOf } from "./example.js";

test("whoever says nothing rolls one group after the other, without a pause, and stops at a failure", () => {
  expect(specOf(EXAMPLE).rollout).toEqual({
    pendingGroups: "one",
    order: [],
    interval: "0s",
    pauseAfter: [],
    manual: false,
    onFailure: "stop",
    ownResources: [],
    revisionHistoryLimit: 10,
  });
});

test("a rollout has an order, a pace and what becomes of a failure", () => {
  const text = rollout(
    "order: [broker-1, broker, consul-server]",
    "interval: 15m",
    "pauseAfter: [broker-1, nomad-server-2]",
    "manual: true",
    "onFailure: undo",
  );
  expect(specOf(text).rollout).toMatchObject({
    order: ["broker-1", "broker", "consul-server"],
    interval: "15m",
    pauseAfter: ["broker-1", "nomad-server-2"],
    manual: true,
    onFailure: "undo",
  });
});

test("refuses to order or to pause after what is not there, or twice", () => {
  expect(
    refusal(
      rollout("order: [brokr, broker-3, broker, broker]", "pauseAfter: [broker, broker-1, broker-1, db-0]"),
    ),
  ).toMatchInlineSnapshot(`
   "cluster.yaml:35: rollout.order[0]: got "brokr"; expected a pool or a group of this spec; did you mean broker?
   cluster.yaml:35: rollout.order[1]: got "broker-3"; expected a pool or a group of this spec; did you mean broker-0?
   cluster.yaml:35: rollout.order[3]: got "broker" a second time; keep one
   cluster.yaml:36: rollout.pauseAfter[0]: got "broker"; expected a group of this spec: broker-0, broker-1, broker-2
   cluster.yaml:36: rollout.pauseAfter[2]: got "broker-1" a second time; keep one
   cluster.yaml:36: rollout.pauseAfter[3]: got "db-0"; expected a group of this spec"
  `);
});

test("refuses values that are none", () => {
  expect(
    refusal(
      rollout(
        "order: broker",
        "interval: 5",
        "pauseAfter: [7, '']",
        "manual: sometimes",
        "onFailure: retry",
        "pace: slow",
        'windows: [{ days: [], from: "24:00", to: "5:00", zone: Berlin }, { days: [monday], from: "00:00", to: "05:00" }]',
      ),
    ),
  ).toMatchInlineSnapshot(`
   "cluster.yaml:35: rollout.order: got "broker"; expected a list of pools and groups, such as [broker-1, broker]
   cluster.yaml:36: rollout.interval: got 5; expected a duration from 0s to 168h: a whole number and s, m or h, such as 90s, 15m or 1h
   cluster.yaml:37: rollout.pauseAfter[0]: got 7; expected the name of a group
   cluster.yaml:37: rollout.pauseAfter[1]: got ""; expected the name of a group
   cluster.yaml:38: rollout.manual: got "sometimes"; expected true or false
   cluster.yaml:39: rollout.onFailure: got "retry"; expected stop or undo
   cluster.yaml:40: rollout.pace: unknown key; known here: pendingGroups, order, interval, pauseAfter, manual, windows, onFailure, ownResources, revisionHistoryLimit
   cluster.yaml:41: rollout.windows[0].days: got []; expected at least one day
   cluster.yaml:41: rollout.windows[0].from: got "24:00"; expected a time such as "22:00"
   cluster.yaml:41: rollout.windows[0].to: got "5:00"; expected a time such as "22:00"
   cluster.yaml:41: rollout.windows[0].zone: got "Berlin"; expected a time zone that is known here, such as Europe/Berlin or UTC
   cluster.yaml:41: rollout.windows[1].days[0]: got "monday"; expected mon, tue, wed, thu, fri, sat or sun
   cluster.yaml:41: rollout.windows[1].zone: missing; expected a time zone, such as Europe/Berlin or UTC"
  `);
});

/** The example with a rollout of these lines. */
const rollout = (...lines: readonly string[]): string =>
  exampleWith([
    "rollout: { pendingGroups: one } # one (default) | queue",
    ["rollout:", ...lines.map((line) => `  ${line}`)].join("\n"),
  ]);
