import { describe, expect, test } from "@jest/globals";
import type { ServerList } from "../../rollout/observation/observation.js";
import { formatFinding } from "../../rollout/preflight/finding.js";
import { preflight, type PreflightInput } from "../../rollout/preflight/preflight.js";
import { readiness } from "../../rollout/ready/readiness.js";
import { formatCondition } from "../../rollout/ready/timeout.js";
import { listedHosts, listObjection } from "../../rollout/server-lists.js";
import { roleOf } from "../../cluster/groups.js";
import { BROKERS, expecting, groupOfHost, known, observed, pick, type World } from "./observed.js";

const SERVERS = ["10.0.0.1", "10.0.1.1", "10.0.2.1"];
const OLD = ["10.0.0.1", "10.0.1.1", "10.0.9.1"];

const HOSTS = [0, 1, 2]
  .flatMap((index) => [`consul-server-${String(index)}-0`, `nomad-server-${String(index)}-0`])
  .concat(BROKERS);

const CLUSTER = [...new Set(HOSTS.map(groupOfHost))].map((name) => ({
  name,
  pool: groupOfHost(name),
  role: roleOf(groupOfHost(name)),
  hosts: HOSTS.filter((host) => groupOfHost(host) === name),
}));

describe("Whose own lists are compared", () => {
  const listed = (group: string, world: World = observed()): string[] => {
    const found = CLUSTER.find(({ name }) => name === group);
    if (!found) throw new Error(`no group ${group}`);
    return listedHosts(world, CLUSTER, found).sort();
  };

  test("of a Consul group those of every machine, of any other group its own", () => {
    expect(listed("consul-server-1")).toEqual([...HOSTS].sort());
    expect(listed("broker-1")).toEqual(["broker-1-0", "broker-1-1"]);
    expect(listed("nomad-server-1")).toEqual(["nomad-server-1-0"]);
  });

  test("not of a machine that is stopped or gone, which would hold the gate for ever", () => {
    const world = observed((one) => {
      pick(one.consul.members, "broker-1-0").status = "failed";
      pick(one.consul.members, "broker-2-0").status = "left";
      one.consul.members = known(one.consul.members).filter(({ name }) => name !== "broker-0-1");
    });
    const left = HOSTS.filter((host) => !["broker-1-0", "broker-2-0", "broker-0-1"].includes(host));
    expect(listed("consul-server-1", world)).toEqual(left.sort());
  });

  test("of nobody while Consul cannot be asked, which holds whatever there is to be held", () => {
    const world = observed((one) => {
      one.consul.members = { unknown: "500 No cluster leader" };
    });
    expect(listed("consul-server-1", world)).toEqual([]);
  });
});

describe("A machine's own list", () => {
  const objection = (servers: ServerList["servers"], world: World = observed()) =>
    listObjection({ host: "broker-0-0", servers }, world);

  test("is right with the servers that there are, in whatever order", () => {
    expect(objection(SERVERS)).toBeUndefined();
    expect(objection([...SERVERS].reverse())).toBeUndefined();
  });

  test("is wrong where it lacks one, names one too many, or is empty", () => {
    expect(objection(OLD)).toEqual({
      unmet:
        "its own list of Consul servers names 10.0.0.1, 10.0.1.1, 10.0.9.1, and there are 10.0.0.1, 10.0.1.1, 10.0.2.1",
    });
    expect(objection([...SERVERS, "10.0.9.1"])).toHaveProperty("unmet");
    expect(objection([])).toEqual({
      unmet: "its own list of Consul servers names nobody, and there are 10.0.0.1, 10.0.1.1, 10.0.2.1",
    });
  });

  test("may name the one that is gone while a server is missing, and not lack one that is there", () => {
    const missing = observed((one) => {
      pick(one.consul.members, "consul-server-2-0").status = "left";
    });
    expect(objection(SERVERS, missing)).toBeUndefined();
    expect(objection(["10.0.0.1", "10.0.2.1"], missing)).toHaveProperty("unmet");
  });

  test("is not known where it could not be read, or nobody knows the servers", () => {
    expect(objection({ unknown: "connection refused" })).toEqual({
      unknown: "its own list of Consul servers: connection refused",
    });
    const mute = observed((one) => {
      one.consul.members = { unknown: "timeout" };
    });
    expect(objection([], mute)).toEqual({
      unknown: "no Consul server is known that its own list could name",
    });
  });
});

describe("The gate", () => {
  const gate = (lists: readonly ServerList[]): string[] => {
    const world = observed((one) => {
      one.lists = lists.map(({ host, servers }) => ({ host, servers: asDraft(servers) }));
    });
    return readiness(world, expecting("consul-server-1"))
      .conditions.filter(({ name }) => name === "server-lists")
      .map(formatCondition);
  };

  test("is passed by lists that name the servers that there are", () => {
    const right = BROKERS.map((host) => ({ host, servers: SERVERS }));
    expect(gate(right)).toEqual([
      "server-lists (5 of 5): every host names the Consul servers that there are in its own list",
    ]);
  });

  test("is held by one that does not, with what configures it, and by one that could not be read", () => {
    const lists = [
      { host: "broker-0-0", servers: SERVERS },
      { host: "broker-0-1", servers: OLD },
    ];
    expect(gate(lists)).toEqual([
      "server-lists (1 of 2): broker-0-1: its own list of Consul servers names 10.0.0.1, 10.0.1.1, 10.0.9.1, and there are 10.0.0.1, 10.0.1.1, 10.0.2.1; what is wrong is configured by: rollout deploy consul-server-1",
    ]);
    expect(gate([{ host: "broker-0-1", servers: { unknown: "connection refused" } }])).toEqual([
      "server-lists (unknown, 0 of 1): broker-0-1: its own list of Consul servers: connection refused",
    ]);
  });

  test("asks nothing where no list was read", () => {
    expect(gate([])).toEqual([]);
  });
});

describe("The preflight", () => {
  const judge = (
    group: string,
    servers: ServerList["servers"],
    { inFlight = [], host = "broker-1-0", edit = () => undefined }: Partial<Case> = {},
  ): { refusals: string[]; warnings: string[] } => {
    const world = observed(edit, (one) => {
      one.lists = [{ host, servers: asDraft(servers) }];
    });
    const stay = CLUSTER.find(({ name }) => name === group)?.hosts ?? [];
    const found = preflight(world, {
      ...{ group, servers: 3, stay, inFlight },
      workload: "moves",
      cluster: CLUSTER,
    });
    return {
      refusals: found.refusals.map(formatFinding),
      warnings: found.warnings.map(formatFinding),
    };
  };
  const UNREAD = { unknown: "cannot be reached by ssh" };
  const unread =
    "broker-1-0: its own list of Consul servers: cannot be reached by ssh; see to it, since it may miss the successors of servers";

  test.each(["consul-server-0", "broker-1"])("of %s only reports a wrong list", (group) => {
    expect(judge(group, OLD)).toEqual({
      refusals: [],
      warnings: [
        "broker-1-0: its own list of Consul servers names 10.0.0.1, 10.0.1.1, 10.0.9.1, and there are 10.0.0.1, 10.0.1.1, 10.0.2.1; once it is confirmed, the roll configures it first",
      ],
    });
    expect(judge(group, SERVERS)).toEqual({ refusals: [], warnings: [] });
  });

  test("refuses that a Consul server goes while the list of another group's machine cannot be read", () => {
    expect(judge("consul-server-0", UNREAD)).toEqual({ refusals: [unread], warnings: [] });
  });

  test.each(["broker-1", "broker-0", "nomad-server-0"])(
    "warns of it where no Consul server goes (%s)",
    (group) => {
      expect(judge(group, UNREAD)).toEqual({ refusals: [], warnings: [unread] });
    },
  );

  test("refuses neither to go on with a roll nor to mend a server that is dead", () => {
    const inFlight = [
      { group: "consul-server-0", reasons: ["terraform_data.consul-server-0-ready is tainted"] },
    ];
    expect(judge("consul-server-0", UNREAD, { inFlight })).toEqual({ refusals: [], warnings: [unread] });
    const dead = judge("consul-server-0", UNREAD, {
      edit: (one) => {
        pick(one.consul.members, "consul-server-0-0").status = "failed";
        const autopilot = known(one.consul.autopilot);
        autopilot.servers = autopilot.servers.slice(1);
      },
    });
    expect(dead).toEqual({ refusals: [], warnings: [unread] });
  });

  test("another group in flight is no reason to let a Consul server go", () => {
    const inFlight = [{ group: "broker-2", reasons: ["aws_instance.broker-2-0 is tainted"] }];
    expect(judge("consul-server-0", UNREAD, { inFlight }).refusals).toContain(unread);
  });

  test("the machine that goes itself need not be read", () => {
    const own = judge("consul-server-0", UNREAD, { host: "consul-server-0-0" });
    expect([own.refusals.length, own.warnings.length]).toEqual([0, 1]);
  });
});

interface Case {
  readonly inFlight: PreflightInput["inFlight"];
  readonly host: string;
  readonly edit: (world: World) => void;
}

const asDraft = (servers: ServerList["servers"]) => ("unknown" in servers ? servers : [...servers]);
