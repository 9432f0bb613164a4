import { describe, expect, test } from "@jest/globals";
import { attemptsOf, recordedAttempts, type GroupAttempts } from "../../cluster/attempts.js";
import { hasUnended, isUntold } from "../../cluster/completed.js";
import type { Deployed, DeployedGroup, DeployedHost } from "../../cluster/deployed.js";
import { groupsOf } from "../../cluster/groups.js";
import { groupsInFlight, inFlightOf } from "../../cluster/pending.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { change, deployedAs, groupIn, localSpec, nothing, poolOf, withGroup } from "../support/fixtures.js";

const spec = localSpec();
/** As a version left it that wrote no numbers. */
const before = deployedAs(spec);
/** As this version leaves it: every group at its second attempt, told of the third roll of Consul servers. */
const standing = everyGroup(before, (group) => ({
  hosts: group.hosts.map((host) => withAttempt(host, 2, 3)),
  ...(group.ready ? { ready: { ...group.ready, attempt: 2 } } : {}),
  completed: {
    attempt: 2,
    hosts: group.hosts.map(({ id }) => `${id ?? ""}:2`).join(","),
    gate: "open",
    ...(group.role === "consul-server" ? { consul: 3 } : {}),
  },
}));
const rolling = change(spec, (edited) => {
  poolOf(edited, "broker").images[0] = "v2";
});
const telling = change(spec, (edited) => {
  poolOf(edited, "consul-server").images[1] = "v2";
});

describe("of a group that is as desired", () => {
  test("nothing runs again, and what is recorded is rendered", () => {
    const { fresh, completed, numbers } = of(spec, standing, "broker-0");
    expect([...fresh]).toEqual([]);
    expect(completed).toEqual(groupIn(standing, "broker-0").completed);
    expect([...new Set(numbers.values())]).toEqual([2]);
  });

  test("nothing is rendered where a version without numbers rolled it", () => {
    const { fresh, completed, numbers } = of(spec, before, "broker-0");
    expect([[...fresh], completed, [...numbers]]).toEqual([[], undefined, []]);
    expect(attemptsOf({ spec, deployed: before }, "consul-server-1").consulRoll).toBeUndefined();
  });
});

describe("of a group that is rolled", () => {
  test("all its hooks carry the next number, and the record names its machines", () => {
    expect(numbersOf(rolling, standing, "broker-0")).toEqual({
      "0": 3,
      "1": 3,
      "2": 3,
      ready: 3,
    });
    expect(of(rolling, standing, "broker-0").completed).toEqual({
      attempt: 3,
      hosts: idsOf(3, 3, 3),
      gate: "${var.rollout_gate}",
    });
  });

  test("it begins with the first where no number is known", () => {
    expect(numbersOf(rolling, before, "broker-0")).toEqual({ "0": 1, "1": 1, "2": 1, ready: 1 });
  });

  test("machines that wait for a later batch keep theirs, and their place in the record where they are proven", () => {
    const later = ["broker-0-1", "broker-0-2"];
    expect(numbersOf(rolling, standing, "broker-0", later)).toEqual({ "0": 3, "1": 2, "2": 2, ready: 3 });
    expect(of(rolling, standing, "broker-0", later).completed).toMatchObject({
      attempt: 3,
      hosts: idsOf(3, 2, 2),
    });
    expect(numbersOf(rolling, before, "broker-0", later)).toEqual({ "0": 1, ready: 1 });
    expect(of(rolling, before, "broker-0", later).completed).toMatchObject({ attempt: 1, hosts: idsOf(1) });
  });

  test("machines that an earlier batch made and proved keep theirs", () => {
    const hash = hashOf(rolling, "broker-0");
    const half = edit(standing, "broker-0", ({ hosts }) => ({
      hosts: hosts.map((host, index) =>
        index === 0 ? withAttempt({ ...host, id: "new-0", hash, image: "v2" }, 3, 3) : host,
      ),
      ready: { hosts: "", hash, gate: "closed", attempt: 3 },
      completed: { attempt: 3, hosts: "new-0:3", gate: "closed" },
    }));
    expect(numbersOf(rolling, withConfigured(half), "broker-0", ["broker-0-2"])).toEqual({
      "0": 3,
      "1": 4,
      "2": 2,
      ready: 4,
    });
  });

  test("only `ready` runs again after a closed gate, or one that failed", () => {
    const closed = edit(standing, "broker-0", ({ ready }) => ({
      ready: { hosts: "", hash: "", ...ready, gate: "closed" },
    }));
    expect(numbersOf(spec, closed, "broker-0")).toEqual({ "0": 2, "1": 2, "2": 2, ready: 3 });
    const failed = edit(standing, "broker-0", () => ({ tainted: ["terraform_data.broker-0-ready"] }));
    expect(numbersOf(spec, failed, "broker-0")).toEqual({ "0": 2, "1": 2, "2": 2, ready: 3 });
  });

  test("a growing group keeps the machines that it has", () => {
    const growing = change(spec, (edited) => {
      const pool = poolOf(edited, "broker");
      pool.hosts = [4, 3, 3];
    });
    expect(numbersOf(growing, standing, "broker-0")).toEqual({ "0": 2, "1": 2, "2": 2, "3": 3, ready: 3 });
    expect(of(growing, before, "broker-0").completed).toMatchObject({ attempt: 1, hosts: idsOf(0, 0, 0, 1) });
  });
});

describe("a hook that stands in the state and is not completed", () => {
  const cut = edit(standing, "broker-0", ({ hosts, ready }) => ({
    hosts: hosts.map((host) => withAttempt(host, 3, 3)),
    ready: { hosts: "", hash: "", gate: "open", ...ready, attempt: 3 },
  }));

  test("runs again with all of its group, under a number that the state has never had", () => {
    expect(numbersOf(spec, cut, "broker-0")).toEqual({ "0": 4, "1": 4, "2": 4, ready: 4 });
  });

  test("keeps its group in flight, which is all that is said of it", () => {
    expect(hasUnended(groupIn(cut, "broker-0"))).toBe(true);
    expect(groupsInFlight(cut, "local")).toEqual([
      {
        group: "broker-0",
        reasons: ["terraform_data.broker-0-revision does not say that its hooks have ended"],
      },
    ]);
  });

  test.each<[string, (group: DeployedGroup) => Partial<DeployedGroup>]>([
    ["a record", (group) => ({ hosts: group.hosts.map((host) => withAttempt(host, 1, 3)) })],
    ["a record of this machine", () => ({ completed: { attempt: 2, hosts: "others:2", gate: "open" } })],
  ])("is one without %s", (what, values) => {
    const deployed = edit(standing, "broker-0", values);
    const bare = what === "a record" ? without(deployed, "broker-0") : deployed;
    expect(inFlightOf(spec, bare).map(({ group }) => group)).toEqual(["broker-0"]);
    expect(of(spec, bare, "broker-0").fresh.size).toBeGreaterThan(3);
  });

  test("is `ready` alone where the record is of an earlier one", () => {
    const deployed = edit(standing, "broker-0", ({ ready }) => ({
      ready: { hosts: "", hash: "", gate: "open", ...ready, attempt: 3 },
    }));
    expect(inFlightOf(spec, deployed).map(({ group }) => group)).toEqual(["broker-0"]);
    expect(numbersOf(spec, deployed, "broker-0")).toEqual({ "0": 2, "1": 2, "2": 2, ready: 4 });
  });

  test("is one of a view that was made before and has run since, whose number is lower", () => {
    const stale = edit(standing, "broker-0", ({ hosts }) => ({
      hosts: hosts.map((host, index) => (index === 1 ? withAttempt(host, 1, 3) : host)),
    }));
    expect(inFlightOf(spec, stale).map(({ group }) => group)).toEqual(["broker-0"]);
    expect(numbersOf(spec, stale, "broker-0")).toEqual({ "0": 2, "1": 3, "2": 2, ready: 3 });
    const untold = edit(standing, "broker-0", ({ hosts }) => ({
      hosts: hosts.map((host, index) => (index === 1 ? withAttempt(host, 2, 1) : host)),
    }));
    expect(isUntold(untold)).toBe(true);
    const ready = edit(standing, "broker-0", ({ ready: passed }) => ({
      ready: { hosts: "", hash: "", gate: "open", ...passed, attempt: 1 },
    }));
    expect(hasUnended(groupIn(ready, "broker-0"))).toBe(true);
  });

  test("is a `ready` whose gate is not the recorded one", () => {
    const opened = edit(standing, "broker-0", ({ completed }) => ({
      completed: { attempt: 2, hosts: "", ...completed, gate: "closed" },
    }));
    expect(inFlightOf(spec, opened).map(({ group }) => group)).toEqual(["broker-0"]);
    expect(numbersOf(spec, opened, "broker-0")).toEqual({ "0": 2, "1": 2, "2": 2, ready: 3 });
  });

  test("of which a machine lacks one is made anew under the machine's number", () => {
    const deployed = edit(standing, "broker-0", ({ hosts }) => ({
      hosts: hosts.map((host) => {
        const bare: Record<string, unknown> = { ...host };
        delete bare["configConsul"];
        return bare as unknown as DeployedHost;
      }),
    }));
    const { numbers } = recordedAttempts(groupIn(deployed, "broker-0"), "local");
    expect(numbers.get("terraform_data.broker-0-1-config-consul")).toBe(2);
  });

  test("counts for nothing in a group of an earlier version that is in flight", () => {
    const left = edit(before, "broker-0", () => ({ leave: false }));
    expect(numbersOf(spec, left, "broker-0")).toEqual({ "0": 1, "1": 1, "2": 1, ready: 1 });
  });

  test("counts for nothing in one that was cut off while its `ready` ran, which then stands in the state", () => {
    const made = edit(before, "broker-0", ({ hosts, ready }) => ({
      hosts: hosts.map((host) => ({ ...host, hash: hashOf(rolling, "broker-0"), image: "v2" })),
      ready: { hosts: "", gate: "open", ...ready, hash: hashOf(rolling, "broker-0") },
    }));
    expect(numbersOf(rolling, made, "broker-0")).toEqual({ "0": 1, "1": 1, "2": 1, ready: 1 });
    expect(of(rolling, made, "broker-0").completed).toMatchObject({ attempt: 1, hosts: idsOf(1, 1, 1) });
  });
});

describe("a roll of a Consul server", () => {
  test("tells every machine under one number, which its record names", () => {
    const { consulRoll, consulRollOf, groups } = attemptsOf(
      { spec: telling, deployed: standing },
      "consul-server-1",
    );
    expect(consulRoll).toBe(4);
    expect(consulRollOf("terraform_data.broker-0-0-config-consul")).toBe(4);
    expect(groups.get("consul-server-1")?.completed).toMatchObject({ attempt: 3, consul: 4 });
    expect(attemptsOf({ spec: telling, deployed: before }, "consul-server-1").consulRoll).toBe(1);
  });

  test("is told of by other views as the state has it", () => {
    const { consulRoll, consulRollOf } = attemptsOf({ spec: rolling, deployed: standing }, "broker-0");
    expect([consulRoll, consulRollOf("terraform_data.broker-0-0-config-consul")]).toEqual([undefined, 3]);
    const first = attemptsOf({ spec: rolling, deployed: before }, "broker-0");
    expect(first.consulRollOf("terraform_data.broker-0-0-config-consul")).toBeUndefined();
  });

  test("is not over before its record names it, and is then repeated under another number", () => {
    const cut = edit(standing, "broker-1", ({ hosts }) => ({
      hosts: hosts.map((host) => withAttempt(host, 2, 4)),
    }));
    expect(isUntold(cut)).toBe(true);
    expect(isUntold(standing)).toBe(false);
    const [owner] = inFlightOf(spec, cut);
    expect(owner?.reasons).toEqual([
      `terraform_data.${owner?.group ?? ""}-revision does not say that its hooks have ended`,
    ]);
    const { consulRoll, groups } = attemptsOf({ spec, deployed: cut }, owner?.group);
    expect(consulRoll).toBe(5);
    expect(groups.get(owner?.group ?? "")?.completed).toMatchObject({ attempt: 3, consul: 5 });
  });

  test("is not repeated by the gate that follows a good apply", () => {
    const closed = edit(standing, "consul-server-1", ({ ready }) => ({
      ready: { hosts: "", hash: "", ...ready, gate: "closed" },
    }));
    const { consulRoll, groups } = attemptsOf({ spec, deployed: closed }, "consul-server-1");
    expect(consulRoll).toBeUndefined();
    expect(groups.get("consul-server-1")?.completed).toMatchObject({ attempt: 3, consul: 3 });
  });
});

describe("the first creation", () => {
  test("has the first number, and nobody who stands is told of a Consul server", () => {
    const { groups, consulRoll } = attemptsOf({ spec, deployed: nothing() }, undefined);
    expect(groups.size).toBe(groupsOf(spec).length);
    expect([...new Set([...groups.values()].flatMap(({ numbers }) => [...numbers.values()]))]).toEqual([1]);
    expect(consulRoll).toBeUndefined();
  });

  test("of a Consul group beside machines that stand tells them", () => {
    const groups = new Map([...standing.groups].filter(([name]) => name !== "consul-server-1"));
    const { consulRoll } = attemptsOf({ spec, deployed: { ...standing, groups } }, undefined);
    expect(consulRoll).toBe(4);
  });

  test("has none where nothing is protected", () => {
    const off: Spec = { ...spec, protection: "off" };
    expect(attemptsOf({ spec: off, deployed: nothing() }, undefined).groups.size).toBe(0);
  });
});

const of = (
  wanted: Spec,
  deployed: Deployed,
  name: string,
  laterHosts?: readonly string[],
): GroupAttempts => {
  const found = attemptsOf({ spec: wanted, deployed }, name, laterHosts).groups.get(name);
  if (!found) throw new Error(`no ${name}`);
  return found;
};

/** The number of each machine's `config_consul`, and that of `ready`. */
function numbersOf(
  wanted: Spec,
  deployed: Deployed,
  name: string,
  laterHosts?: readonly string[],
): Record<string, number> {
  const { numbers } = of(wanted, deployed, name, laterHosts);
  return Object.fromEntries(
    [...numbers].flatMap(([address, number]) => {
      const place = new RegExp(`${name}-(?:(\\d+)-config-consul|(ready))$`).exec(address);
      return place ? [[place[1] ?? "ready", number] as const] : [];
    }),
  );
}

const hashOf = (wanted: Spec, name: string): string =>
  groupsOf(wanted).find((group) => group.name === name)?.hash ?? "";

/** What is recorded of the first machines, with the attempt of each. */
const idsOf = (...attempts: readonly number[]): string =>
  attempts
    .map((attempt, host) => `\${terraform_data.broker-0-${String(host)}.id}:${String(attempt)}`)
    .join(",");

function withAttempt(host: DeployedHost, attempt: number, consul: number): DeployedHost {
  const { configConsul } = host;
  return { ...host, ...(configConsul ? { configConsul: { ...configConsul, attempt, consul } } : {}) };
}

function everyGroup(deployed: Deployed, values: (group: DeployedGroup) => Partial<DeployedGroup>): Deployed {
  return [...deployed.groups.keys()].reduce((state, name) => edit(state, name, values), deployed);
}

function edit(
  deployed: Deployed,
  name: string,
  values: (group: DeployedGroup) => Partial<DeployedGroup>,
): Deployed {
  return withGroup(deployed, name, values(groupIn(deployed, name)));
}

/** Without its record. */
function without(deployed: Deployed, name: string): Deployed {
  const group: Record<string, unknown> = { ...groupIn(deployed, name) };
  delete group["completed"];
  return { ...deployed, groups: new Map([...deployed.groups, [name, group as unknown as DeployedGroup]]) };
}

/** As the machines' own `config_consul` would say of them. */
function withConfigured(deployed: Deployed): Deployed {
  return edit(deployed, "broker-0", ({ hosts }) => ({
    hosts: hosts.map((host) => ({
      ...host,
      ...(host.configConsul ? { configConsul: { ...host.configConsul, host: host.id ?? "" } } : {}),
    })),
  }));
}
