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
  deployed: true,
  generation: 0,
  hash: "0123456789",
  steps: [],
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
   done:       2026-11-21 11:20 UTC
   took:       19m
   result:     ok
   steps:      -"
  `);
});
