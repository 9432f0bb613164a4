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
  expect(checks.results).toEqual([
    { name: "answers", host: "broker-0-0", passed: true, value: "try at 10000" },
    { name: "answers", host: "broker-0-1", passed: true, value: "try at 10000" },
  ]);
});

test("what was known of a machine at another address is forgotten", async () => {
  const checks = new PoolChecks([check], {
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
  const checks = new PoolChecks([check], { now: () => 0, run: () => Promise.reject(new TypeError("a bug")) });
  checks.start(broker(machineOf("broker-0-0")));
  await checks.settled();

  expect(() => {
    checks.start(() => []);
  }).toThrow(new TypeError("a bug"));
});
