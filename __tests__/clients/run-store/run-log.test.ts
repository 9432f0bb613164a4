import { beforeEach, expect, test } from "@jest/globals";
import { LogReader, LogWriter } from "../../../clients/run-store/run-log.js";
import type { RunStore } from "../../../clients/run-store/run-store.js";
import { UserError } from "../../../cluster/user-error.js";
import type { LogEvent } from "../../../cluster/run/run-log.js";
import { MemoryStore, seenBy } from "../../support/memory-store.js";
import { failure } from "../../support/refusal.js";

const event = (second: number, more: Partial<LogEvent> = {}): LogEvent => ({
  at: new Date(second * 1000).toISOString(),
  run: "r1",
  event: "step-started",
  ...more,
});
const waits = (second: number, message: string): LogEvent => event(second, { event: "waiting", message });

let now: number;
let store: MemoryStore;
const writerOf = (name: string, to: RunStore = store): LogWriter =>
  new LogWriter(to, { now: () => now }, name);
const read = async (): Promise<readonly LogEvent[]> => (await new LogReader(store).read()).events;

beforeEach(() => {
  now = 0;
  store = new MemoryStore();
});

test("no log is an empty one", async () => {
  expect(await new LogReader(store).read()).toEqual({ events: [], notes: [] });
});

test("runs are read one after the other, by their names", async () => {
  await writerOf("20261121T10-b").add(event(20, { run: "b" }));
  const first = writerOf("20261121T09-a");
  await first.add(event(10, { run: "a" }));
  await first.add(event(11, { run: "a" }));
  expect((await read()).map(({ run, at }) => `${run} ${at.slice(17, 19)}`)).toEqual(["a 10", "a 11", "b 20"]);
});

test("what was noted is stored with the next event, and those who watch see it before", async () => {
  const writer = writerOf("a");
  await writer.add(event(1));
  now = 6_000;
  writer.note(waits(2, "two"));
  await written();
  writer.note(waits(3, "three"));
  expect(await read()).toEqual([event(1), waits(2, "two")]);
  expect((await store.list("log/")).map(({ name }) => name)).toEqual(["log/a-0001"]);

  await writer.add(event(4, { event: "step-ended" }));
  expect(await read()).toEqual([
    event(1),
    waits(2, "two"),
    waits(3, "three"),
    event(4, { event: "step-ended" }),
  ]);
});

test("what another run was seen to wait for is nothing of the last one", async () => {
  const writer = writerOf("a");
  await writer.add(event(1));
  now = 6_000;
  writer.note(waits(9, "nine"));
  await written();
  await writerOf("b").add(event(5, { run: "r2" }));
  expect(await read()).toEqual([event(1), event(5, { run: "r2" })]);
});

test("a log that is long goes on in a second object, and nothing of it is lost", async () => {
  const writer = writerOf("a");
  const long = "x".repeat(60_000);
  for (const second of [1, 2, 3]) await writer.add(event(second, { message: long }));
  expect((await store.list("log/")).map(({ name }) => name)).toEqual(["log/a-0001", "log/a-0002"]);
  expect((await read()).map(({ at }) => at)).toEqual([1, 2, 3].map((second) => event(second).at));
});

test("refuses what cannot be stored, and stores it with the next", async () => {
  let isDown = true;
  const writer = writerOf(
    "a",
    seenBy(store, {
      write: (...args) =>
        isDown ? Promise.reject(new UserError("AWS does not answer")) : store.write(...args),
    }),
  );
  expect(await failure(writer.add(event(1)))).toBe("AWS does not answer");
  isDown = false;
  await writer.add(event(2));
  expect(await read()).toEqual([event(1), event(2)]);
});

test("an event whose answer was lost is stored once, and what was noted meanwhile is not lost", async () => {
  let isLost = true;
  const writer: LogWriter = writerOf(
    "a",
    seenBy(store, {
      write: async (...args) => {
        const tag = await store.write(...args);
        writer.note(waits(2, "while it is written"));
        if (isLost) throw new UserError("the answer was lost");
        return tag;
      },
    }),
  );
  now = -1;
  expect(await failure(writer.add(event(1)))).toBe("the answer was lost");
  isLost = false;
  await writer.add(event(3));
  await writer.add(event(4));
  const found = await read();
  expect(found.filter(({ event }) => event !== "waiting")).toEqual([event(1), event(3), event(4)]);
  expect(found.filter(({ event }) => event === "waiting").length).toBeGreaterThanOrEqual(2);
});

test("refuses to write over what is not its own", async () => {
  await store.write("log/a-0001", "", undefined);
  expect(await failure(writerOf("a").add(event(1)))).toBe(
    "somebody else has written memory/log/a-0001; see what does",
  );
});

test("a line that is no event is left out and noted", async () => {
  await store.write("log/a-0001", `{"at":"2026\n${JSON.stringify(event(1))}\n`, undefined);
  expect(await new LogReader(store).read()).toEqual({
    events: [event(1)],
    notes: ["memory/log/a-0001:1 is no event and was left out"],
  });
});

test("what has not changed is fetched once", async () => {
  const writer = writerOf("b");
  await writerOf("a").add(event(1));
  await writer.add(event(2));
  const fetched: string[] = [];
  const reader = new LogReader(
    seenBy(store, {
      read: (name) => {
        fetched.push(name);
        return store.read(name);
      },
    }),
  );
  await reader.read();
  await writer.add(event(3));
  fetched.length = 0;
  expect((await reader.read()).events).toEqual([event(1), event(2), event(3)]);
  expect(fetched.filter((name) => name.startsWith("log/"))).toEqual(["log/b-0001"]);
});

/** Until what was noted has been written. */
async function written(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
}
