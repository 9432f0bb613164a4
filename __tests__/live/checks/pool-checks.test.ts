import { expect, test } from "@jest/globals";
import { PoolChecks } from "../../../live/checks/pool-checks.js";
import { subjectsOf, type Machine } from "../../../live/checks/subject.js";
import type { Check } from "../../../cluster/gate-settings.js";

const check: Check = {
  name: "answers",
  scope: "machine",
  kind: "http",
  url: "http://{address}/",
  status: 200,
  headers: {},
  intervalSeconds: 10,
  timeoutSeconds: 5,
};

/** Nothing is due by itself. */
const still = { pause: () => new Promise<void>(() => undefined) };

const machineOf = (host: string, address = "10.0.0.1"): Machine => ({ host, address });

const broker = (...machines: readonly Machine[]) => {
  const ofPool = [...machines, machineOf("broker-1-0", "10.0.1.1")];
  return (of: Pick<Check, "scope">) =>
    subjectsOf(of, { name: "broker-0", machines }, { name: "broker", machines: ofPool });
};

test("a check is about each machine, about the group at once, or about its whole pool", () => {
  const subjects = broker(machineOf("broker-0-0"), machineOf("broker-0-1", "10.0.0.2"));
  expect(subjects({ scope: "machine" })).toEqual([
    { name: "broker-0-0", host: "broker-0-0", address: "10.0.0.1", group: "broker-0" },
    { name: "broker-0-1", host: "broker-0-1", address: "10.0.0.2", group: "broker-0" },
  ]);
  expect(subjects({ scope: "group" })).toEqual([
    { name: "broker-0", group: "broker-0", hosts: "broker-0-0,broker-0-1", addresses: "10.0.0.1,10.0.0.2" },
  ]);
  expect(subjects({ scope: "pool" })).toEqual([
    {
      name: "broker",
      group: "broker-0",
      hosts: "broker-0-0,broker-0-1,broker-1-0",
      addresses: "10.0.0.1,10.0.0.2,10.0.1.1",
    },
  ]);
});

test("each machine is tried at once, and again when the interval is over", async () => {
  let now = 0;
  const tries: string[] = [];
  const checks = new PoolChecks([check], {
    ...still,
    now: () => now,
    run: ({ name }, { name: host }) => {
      tries.push(`${host} at ${String(now)}`);
      return Promise.resolve({ name, host, passed: now > 0, value: `try at ${String(now)}` });
    },
  });
  const machines = broker(machineOf("broker-0-0"), machineOf("broker-0-1"));
  for (now of [0, 9_999, 10_000]) {
    checks.start(machines);
    await checks.settled();
  }

  expect(tries).toEqual(["broker-0-0 at 0", "broker-0-1 at 0", "broker-0-0 at 10000", "broker-0-1 at 10000"]);
  const AT = { at: 10_000, until: 25_000 };
  expect(checks.results).toEqual([
    { name: "answers", host: "broker-0-0", passed: true, value: "try at 10000", ...AT },
    { name: "answers", host: "broker-0-1", passed: true, value: "try at 10000", ...AT },
  ]);
});

test("where the clock is set back, what was known is forgotten and asked anew", async () => {
  let now = 100_000;
  const checks = new PoolChecks([check], {
    ...still,
    now: () => now,
    run: ({ name }, { name: host }) => Promise.resolve({ name, host, passed: true, value: String(now) }),
  });
  const machines = broker(machineOf("broker-0-0"));
  for (now of [100_000, 40_000]) {
    checks.start(machines);
    await checks.settled();
  }
  expect(checks.results).toMatchObject([{ value: "40000", at: 40_000 }]);
});

test("an answer stays young as long as others of the pool may hold the places", async () => {
  const slow: Check = { ...check, name: "slow", timeoutSeconds: 60 };
  const checks = new PoolChecks([check, slow], {
    ...still,
    now: () => 0,
    run: ({ name }, { name: host }) => Promise.resolve({ name, host, passed: true, value: "" }),
  });
  checks.start(broker(...Array.from({ length: 16 }, (_, index) => machineOf(`broker-0-${String(index)}`))));
  await checks.settled();
  // Two rounds: its own 5 s and the others' 60 s, after its interval of 10 s.
  expect(checks.results.find(({ name }) => name === "answers")?.until).toBe(75_000);
});

test("an answer says when its try began, and when the one before it did if both have passed", async () => {
  let now = 0;
  const passed = [true, true, false, true, true];
  const checks = new PoolChecks([check], {
    ...still,
    now: () => now,
    run: ({ name }, { name: host }) => {
      const result = { name, host, passed: passed[now / 20_000] === true, value: "" };
      now += 2000;
      return Promise.resolve(result);
    },
  });
  const seen: (readonly (number | undefined)[])[] = [];
  for (const at of [0, 20_000, 40_000, 60_000, 80_000]) {
    now = at;
    checks.start(broker(machineOf("broker-0-0")));
    await checks.settled();
    seen.push(...checks.results.map((result) => [result.at, result.passedAt, result.until]));
  }

  // Tried for 2 s; too old when an interval and a timeout have gone by after that.
  expect(seen).toEqual([
    [0, undefined, 17_000],
    [20_000, 0, 37_000],
    [40_000, undefined, 57_000],
    [60_000, undefined, 77_000],
    [80_000, 60_000, 97_000],
  ]);
});

test("an answer is too old when an interval and a timeout have gone by, and the turns of seventeen at sixteen a time", async () => {
  const checks = new PoolChecks([check], {
    ...still,
    speed: 2,
    now: () => 0,
    run: ({ name }, { name: host }) => Promise.resolve({ name, host, passed: true, value: "" }),
  });
  const named = (count: number) =>
    broker(...Array.from({ length: count }, (_, index) => machineOf(`broker-0-${String(index)}`)));
  const untils = async (count: number): Promise<number[]> => {
    checks.start(named(count));
    await checks.settled();
    return [...new Set(checks.results.map(({ until }) => until))];
  };

  expect(await untils(16)).toEqual([20_000]);
  expect(await untils(17)).toEqual([20_000, 30_000]);
});

test("a try comes when it is due, whatever else takes long", async () => {
  const pauses: (() => void)[] = [];
  let now = 0;
  let tries = 0;
  const checks = new PoolChecks([check], {
    now: () => now,
    pause: (ms) =>
      new Promise((resolve) => {
        pauses.push(() => {
          now += ms;
          resolve();
        });
      }),
    run: ({ name }, { name: host }) => {
      tries++;
      return Promise.resolve({ name, host, passed: true, value: "" });
    },
  });
  checks.start(broker(machineOf("broker-0-0")));
  await checks.settled();
  pauses.shift()?.();
  await new Promise(setImmediate);

  expect([tries, now]).toEqual([2, 10_000]);
  await checks.stop();
});

test("what was known of a machine at another address is forgotten", async () => {
  const checks = new PoolChecks([check], {
    ...still,
    now: () => 0,
    run: ({ name }, { name: host, address = "" }) =>
      Promise.resolve({ name, host, passed: true, value: address }),
  });
  checks.start(broker(machineOf("broker-0-0", "10.0.0.1")));
  await checks.settled();
  checks.start(broker(machineOf("broker-0-0", "10.0.0.2")));

  expect(checks.results).toEqual([]);
  await checks.settled();
  expect(checks.results.map(({ value }) => value)).toEqual(["10.0.0.2"]);
});

test("a try that runs is not started again, sixteen run at once, and an end ends them all", async () => {
  let begun = 0;
  const checks = new PoolChecks([check], {
    ...still,
    now: () => begun * 100_000,
    run: ({ name }, { name: host }, signal) => {
      begun++;
      return new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          resolve({ name, host, passed: false, value: "ended" });
        });
      });
    },
  });
  const machines = broker(
    ...Array.from({ length: 20 }, (_, index) => machineOf(`broker-0-${String(index)}`)),
  );
  checks.start(machines);
  checks.start(machines);

  expect(begun).toBe(16);
  await checks.stop();
  checks.start(machines);
  expect(begun).toBe(16);
  expect(checks.results).toEqual([]);
});

test("what a try throws is a bug, and is thrown on", async () => {
  const checks = new PoolChecks([check], {
    ...still,
    now: () => 0,
    run: () => Promise.reject(new TypeError("a bug")),
  });
  checks.start(broker(machineOf("broker-0-0")));
  await checks.settled();

  expect(() => {
    checks.start(() => []);
  }).toThrow(new TypeError("a bug"));
});
