import { expect, test } from "@jest/globals";
import { formatHistories } from "../../../cli/output/history.js";
import type { Attempt } from "../../../rollout/log/history.js";

const ok: Attempt = {
  group: "broker-1",
  revision: 14,
  image: "ami-0aaa",
  at: null,
  seconds: null,
  result: null,
  message: null,
  cause: null,
  despite: null,
  deployed: true,
  generation: 0,
  hash: "0123456789",
  template: null,
  hosts: null,
  roll: null,
  changed: null,
  steps: [],
};
/** As this version records it. */
const recorded: Attempt = {
  ...ok,
  revision: 16,
  image: "ami-0ccc",
  cause: "9ab0c1d new kernel, larger disks",
  at: "2026-11-22T10:00:00.000Z",
  seconds: 1800,
  template: {
    image: "ami-0ccc",
    instanceType: "m6i.large",
    generation: 0,
    dataVolume: { sizeGib: 200, type: "gp3" },
    rootVolume: { sizeGib: 50 },
  },
  hosts: 3,
  roll: {
    commit: "9ab0c1d5e3f2",
    command: "rollout deploy broker-1",
    by: "ada@ops",
    begun: "2026-11-22T09:30:00.000Z",
    ended: "2026-11-22T10:00:00.000Z",
    how: "1 at a time",
  },
  changed: ["image ami-0aaa -> ami-0ccc", "dataVolume 100 GiB gp3 -> 200 GiB gp3"],
};
const undone: Attempt = {
  ...ok,
  revision: 15,
  image: "ami-0bbb",
  at: "2026-11-21T09:41:07.000Z",
  seconds: 1320,
  result: "undone",
  message: "not ready within 15m: broker-1-0 is not registered under a new id in Consul, nor in Nomad",
  deployed: false,
  generation: null,
  hash: null,
  steps: [
    { step: "leave", seconds: 300 },
    { step: "gate", seconds: 900 },
  ],
};
const again: Attempt = {
  ...ok,
  revision: 15,
  at: "2026-11-21T11:20:00.000Z",
  seconds: 1140,
  result: "ok",
  despite: { ids: ["paused", "interval"], reason: "incident 42" },
  cause: "3f2a1c0 security\u001b[31m fixes",
};

test("the text of a history is a table, oldest first, of at most 80 columns", () => {
  const text = formatHistories([{ name: "broker-1", attempts: [ok, undone, again] }], false);
  expect(text).toMatchInlineSnapshot(`
   "REVISION  IMAGE     DONE              TOOK  RESULT  CAUSE
   14        ami-0aaa  -                 -     -       <none>
   15        ami-0bbb  2026-11-21 09:41  22m   undone  not ready within 15m: broke…
   15        ami-0aaa  2026-11-21 11:20  19m   ok      3f2a1c0 security\\u{1b}[31m …"
  `);
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBe(80);
});

test("of several groups each has its own, also one that has none", () => {
  const histories = [
    { name: "broker-0", attempts: [] },
    { name: "broker-1", attempts: [ok] },
  ];
  expect(formatHistories(histories, false)).toMatchInlineSnapshot(`
   "broker-0 has no history yet: it has never stood

   broker-1
   REVISION  IMAGE     DONE  TOOK  RESULT  CAUSE
   14        ami-0aaa  -     -     -       <none>"
  `);
});

test("a revision in full has all that is known of it and of every attempt at it", () => {
  expect(formatHistories([{ name: "broker-1", attempts: [undone, again] }], true)).toMatchInlineSnapshot(`
   "group:      broker-1
   revision:   15
   image:      ami-0bbb
   generation: -
   template:   -
   cause:      -
   done:       2026-11-21 09:41 UTC
   took:       22m
   result:     undone
   steps:      leave 5m, gate 15m
   message:    not ready within 15m: broker-1-0 is not registered under a new id
     in Consul, nor in Nomad

   group:      broker-1
   revision:   15
   image:      ami-0aaa
   generation: 0
   template:   0123456789
   cause:      3f2a1c0 security\\u{1b}[31m fixes
   despite:    paused, interval: incident 42
   done:       2026-11-21 11:20 UTC
   took:       19m
   result:     ok
   steps:      -
   note:       who rolled it and how is not recorded"
  `);
});

test("what changed has a column where it is known", () => {
  const text = formatHistories([{ name: "broker-1", attempts: [again, recorded] }], false);
  expect(text).toMatchInlineSnapshot(`
   "REVISION  IMAGE     DONE              TOOK  RESULT  CHANGED           CAUSE
   15        ami-0aaa  2026-11-21 11:20  19m   ok      -                 3f2a1c0 s…
   16        ami-0ccc  2026-11-22 10:00  30m   -       image,dataVolume  9ab0c1d n…"
  `);
});

test("a revision in full says its template, what changed, and who rolled it, when and how", () => {
  const text = formatHistories([{ name: "broker-1", attempts: [recorded] }], true);
  expect(text).toMatchInlineSnapshot(`
   "group:      broker-1
   revision:   16
   image:      ami-0ccc
   generation: 0
   template:   0123456789, instanceType m6i.large, rootVolume 50 GiB, dataVolume
     gp3, recorded as 200 GiB
   hosts:      3
   changed:    image ami-0aaa -> ami-0ccc, dataVolume 100 GiB gp3 -> 200 GiB gp3
   cause:      9ab0c1d new kernel, larger disks
   commit:     9ab0c1d5e3f2
   by:         ada@ops: rollout deploy broker-1, 1 at a time
   begun:      2026-11-22 09:30 UTC
   done:       2026-11-22 10:00 UTC
   took:       30m
   result:     -
   steps:      -"
  `);
});

test("a roll by Terraform alone has no command", () => {
  const roll = { by: "ada@ops", begun: ago, ended: ago, how: "by Terraform alone" };
  const text = formatHistories([{ name: "broker-1", attempts: [{ ...recorded, roll, changed: [] }] }], true);
  expect(text).toContain("\nby:         ada@ops, by Terraform alone\n");
  expect(text).toContain("\nchanged:    nothing\n");
  expect(text).not.toContain("commit:");
});

const ago = "2026-11-22T09:30:00.000Z";
