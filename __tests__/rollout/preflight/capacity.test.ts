import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";
import { formatFinding } from "../../../rollout/preflight/finding.js";
import { workFindings } from "../../../rollout/preflight/capacity.js";
import type {
  Allocation,
  Constraint,
  NomadJob,
  NomadNode,
} from "../../../rollout/observation/observation.js";
import { known, NEW, observed, pick, type World } from "../observed.js";

const GROUP = { name: "broker-0", role: "client", hosts: ["broker-0-0", "broker-0-1"] } as const;

type Input = Parameters<typeof workFindings>[2];

const found = (world: World, more: Partial<Input> = {}) =>
  workFindings(world, GROUP, { workload: "moves", inFlight: [], ...more });

const refusals = (world: World, more: Partial<Input> = {}): string =>
  found(world, more).refusals.map(formatFinding).join("\n");

const warnings = (world: World, more: Partial<Input> = {}): string =>
  found(world, more).warnings.map(formatFinding).join("\n");

/** The task group that the tests are about. */
const web = (world: World) => {
  const group = pick(world.nomad.jobs, "web").groups[0];
  if (!group) throw new Error("web has no group");
  return group;
};

/** Every node was asked for, and is in a rack of its group. */
const racks = (world: World): void => {
  for (const node of known(world.nomad.nodes)) {
    node.attributes = { "kernel.name": "linux" };
    node.meta = { ...node.meta, rack: node.name.slice("broker-".length, -2) };
  }
  web(world).on = known(world.nomad.nodes).map(({ id }) => id);
};

const constrained =
  (LTarget: string, Operand: string, RTarget: string) =>
  (world: World): void => {
    web(world).constraints = [{ LTarget, Operand, RTarget }];
  };

describe("refuses work that no other node may have", () => {
  test("by a constraint", () => {
    expect(refusals(observed(racks, constrained("${meta.rack}", "=", "0")))).toMatchInlineSnapshot(
      `"broker-0: 2 of default/web.g leave, and 0 of 3 other nodes may have it, by constraint \${meta.rack} = 0; let its job run elsewhere, add a node that it may use, or stop it; work that waits for its machine is of a pool with workload: stays"`,
    );
  });

  test("bound to its machine by its name", () => {
    const bound = constrained("${node.unique.name}", "=", "broker-0-0");
    expect(refusals(observed(bound))).toMatchInlineSnapshot(
      `"broker-0: 2 of default/web.g leave, and 0 of 3 other nodes may have it, by constraint \${node.unique.name} = broker-0-0; let its job run elsewhere, add a node that it may use, or stop it; work that waits for its machine is of a pool with workload: stays"`,
    );
  });

  test("by node pool and datacenter", () => {
    const world = observed((one) => {
      for (const node of known(one.nomad.nodes)) {
        const isOther = node.name.startsWith("broker-1");
        Object.assign(node, { pool: isOther ? "other" : "brokers", datacenter: "dc2" });
      }
      Object.assign(pick(one.nomad.jobs, "web"), { pool: "brokers", datacenters: ["dc1", "dc3"] });
    });
    expect(refusals(world)).toMatchInlineSnapshot(
      `"broker-0: 2 of default/web.g leave, and 0 of 3 other nodes may have it, by datacenter dc1, dc3 and node pool brokers; let its job run elsewhere, add a node that it may use, or stop it; work that waits for its machine is of a pool with workload: stays"`,
    );
  });

  test("by distinct_hosts: every other node has one, or there are too few", () => {
    const distinct = constrained("", "distinct_hosts", "");
    expect(refusals(observed(racks, distinct))).toMatchInlineSnapshot(
      `"broker-0: 2 of default/web.g leave, and 0 of 3 other nodes may have it, by distinct_hosts; let its job run elsewhere, add a node that it may use, or stop it; work that waits for its machine is of a pool with workload: stays"`,
    );
    const few = observed(racks, distinct, (one) => {
      web(one).on = ["broker-0-0-node", "broker-0-1-node", "broker-1-0-node", "broker-1-1-node"];
    });
    expect(refusals(few)).toMatchInlineSnapshot(
      `"broker-0: 2 of default/web.g leave, and 1 of 3 other nodes may have it, by distinct_hosts; let its job run elsewhere, add a node that it may use, or stop it; work that waits for its machine is of a pool with workload: stays"`,
    );
    web(few).on = ["broker-0-0-node", "broker-0-1-node", "broker-1-0-node"];
    expect(refusals(few)).toBe("");
    expect(warnings(few)).toBe("");
    web(few).on = known(few.nomad.nodes).map(({ id }) => id);
    web(few).constraints = [{ LTarget: "", Operand: "distinct_hosts", RTarget: "false" }];
    expect(refusals(few)).toBe("");
  });

  test("by the zone of its CSI volume, and by a plugin that is missing", () => {
    const zoned = (...zones: readonly string[]) =>
      observed(racks, (one) => {
        for (const node of known(one.nomad.nodes))
          node.csi = node.name === "broker-2-0" ? {} : { ebs: { zone: node.name.slice(7, 8) } };
        web(one).volumes = [{ plugin: "ebs", topologies: zones.map((zone) => ({ zone })) }];
      });
    expect(refusals(zoned("0"))).toMatchInlineSnapshot(
      `"broker-0: 2 of default/web.g leave, and 0 of 3 other nodes may have it, by its CSI volume (ebs); let its job run elsewhere, add a node that it may use, or stop it; work that waits for its machine is of a pool with workload: stays"`,
    );
    expect(refusals(zoned("0", "1"))).toBe("");
    expect(refusals(zoned())).toBe("");
    expect(refusals(zoned("2"))).toContain("0 of 3 other nodes");
  });

  test("not by a plugin that is down on a node that has it: that is a warning", () => {
    const world = observed(racks, (one) => {
      for (const node of known(one.nomad.nodes)) node.csi = node.name === "broker-1-0" ? { ebs: null } : {};
      web(one).volumes = [{ plugin: "ebs", topologies: [{ zone: "0" }] }];
      web(one).on = [];
      pick(one.nomad.allocations, "web@broker-0-1").node = "broker-1-1-node";
    });
    expect(refusals(world)).toBe("");
    expect(warnings(world)).toMatchInlineSnapshot(
      `"broker-0: a CSI plugin of default/web.g is not healthy on broker-1-0; its work waits there: mend it"`,
    );
  });

  test("where no other node takes work", () => {
    const world = observed((one) => {
      for (const node of known(one.nomad.nodes))
        if (!node.name.startsWith("broker-0")) node.eligibility = "ineligible";
    });
    expect(refusals(world)).toMatchInlineSnapshot(
      `"broker-0: 2 of default/web.g leave, and 0 of 0 other nodes may have it; let its job run elsewhere, add a node that it may use, or stop it; work that waits for its machine is of a pool with workload: stays"`,
    );
  });

  test("but not of a group that has begun to leave, is in flight or has a dead machine: it is finished, and that is a warning", () => {
    const world = observed(constrained("${node.unique.name}", "is", "broker-0-0"));
    const own = [{ group: "broker-0", reasons: ["a host is missing"] }];
    expect(refusals(world, { inFlight: own })).toBe("");
    expect(warnings(world, { inFlight: own })).toContain("0 of 3 other nodes may have it");
    expect(refusals(world, { inFlight: own, isSurged: true })).not.toBe("");
    expect(refusals(world, { inFlight: [{ group: "broker-1", reasons: [] }] })).not.toBe("");
    const node = pick(world.nomad.nodes, "broker-0-1");
    for (const change of [
      { status: "down" },
      { eligibility: "ineligible" },
      { drain: { deadlineAt: null } },
    ]) {
      const before = structuredClone(node);
      Object.assign(node, change);
      expect(refusals(world)).toBe("");
      Object.assign(node, before);
    }
    expect(refusals(world)).not.toBe("");
  });

  test("but neither work that waits for its machine, nor batch work and system jobs", () => {
    const bound = constrained("${node.unique.name}", "=", "broker-0-0");
    expect(found(observed(bound), { workload: "stays" })).toEqual({ refusals: [], warnings: [] });
    for (const type of ["batch", "system", "sysbatch"] as const) {
      const world = observed(bound, (one) => {
        pick(one.nomad.jobs, "web").type = type;
      });
      expect(found(world)).toEqual({ refusals: [], warnings: [] });
    }
    expect(
      workFindings(observed(bound), { ...GROUP, role: "nomad-server" }, { workload: "moves", inFlight: [] }),
    ).toEqual({ refusals: [], warnings: [] });
  });

  test("but not what has ended, was told to stop, or is a canary", () => {
    const bound = constrained("${node.unique.name}", "=", "broker-0-0");
    for (const change of [{ clientStatus: "complete" }, { desiredStatus: "stop" }, { isCanary: true }]) {
      const world = observed(bound, (one) => {
        for (const each of known(one.nomad.allocations)) Object.assign(each, change);
      });
      expect(refusals(world)).toBe("");
    }
  });
});

test.each([
  ["${meta.rack}", "=", "1", true],
  ["${meta.rack}", "==", "9", false],
  ["${meta.rack}", "is", "${meta.rack}", true],
  ["${meta.none}", "=", "1", false],
  ["${meta.rack}", "!=", "0", true],
  ["${meta.none}", "not", "1", true],
  ["${attr.kernel.name}", "!=", "linux", false],
  ["${attr.kernel.name}", "is_set", "", true],
  ["${attr.cpu.arch}", "is_set", "", false],
  ["${attr.cpu.arch}", "is_not_set", "", true],
  ["${meta.rack}", "is_not_set", "", false],
  ["${node.class}", "=", "big", false],
  ["${node.class}", "=", "small", true],
  ["${node.datacenter}", "=", "dc2", false],
  ["${node.pool}", "=", "default", true],
  ["${node.unique.id}", "=", "broker-1-0-node", true],
  // Not judged, so nothing is refused for it.
  ["${attr.nomad.version}", "semver", ">= 9", true],
  ["${attr.cpu.cores}", ">", "99", true],
  ["${attr.kernel.name}", "regexp", "^windows$", true],
  ["${meta.rack}", "set_contains", "9", true],
  ["${meta.rack}", "distinct_property", "1", true],
  ["${node.something}", "=", "x", true],
  ["${env.HOME}", "=", "x", true],
] as const)("%s %s %s: another node may have it: %s", (left, operator, right, isMet) => {
  const world = observed(racks, constrained(left, operator, right), (one) => {
    for (const node of known(one.nomad.nodes))
      Object.assign(node, { class: "small", datacenter: "dc1", pool: "default" });
  });
  expect(refusals(world) === "").toBe(isMet);
});

test("what is not known of a node speaks against none: it was not asked for in all detail, or Nomad is too old", () => {
  expect(refusals(observed(constrained("${meta.rack}", "=", "9")))).toBe("");
  expect(refusals(observed(constrained("${attr.os}", "is_set", "")))).toBe("");
  expect(refusals(observed(constrained("${node.class}", "=", "big")))).toBe("");
  const volume = observed((one) => {
    web(one).volumes = [{ plugin: "ebs", topologies: [{ zone: "0" }] }];
    Object.assign(pick(one.nomad.jobs, "web"), { pool: "brokers", datacenters: ["dc9"] });
  });
  expect(refusals(volume)).toBe("");
});

test("a datacenter with a wildcard is not judged, and a pool called all is every pool", () => {
  const world = observed((one) => {
    for (const node of known(one.nomad.nodes)) Object.assign(node, { pool: "brokers", datacenter: "dc2" });
    Object.assign(pick(one.nomad.jobs, "web"), { pool: "all", datacenters: ["eu-*"] });
  });
  expect(refusals(world)).toBe("");
});

describe("Nomad before 1.10.3 does not heed max_parallel across machines", () => {
  const early = (version: string) =>
    observed((one) => {
      for (const member of known(one.nomad.members)) member.version = version;
      Object.assign(web(one), { desired: 2, running: 2, healthy: 2, maxParallel: 1 });
    });

  test("refuses to let a service lose all of its instances at once", () => {
    expect(refusals(early("1.9.7"))).toMatchInlineSnapshot(
      `"broker-0: all 2 of default/web.g are on broker-0-0, broker-0-1, and Nomad 1.9.7 may end them all at once: only 1.10.3 and later (Enterprise: 1.9.11, 1.8.15) heed max_parallel on machines that drain together; let the pool go in batches (maxUnavailable: 1), or have instances in other groups, too"`,
    );
  });

  test.each([
    ["0.12.1", true],
    ["1.6.10", true],
    ["1.7.19+ent", true],
    ["1.8.14+ent", true],
    ["1.8.15+ent", false],
    ["1.8.20+ent", false],
    ["1.9.1", true],
    ["1.9.10+ent", true],
    ["1.9.11+ent", false],
    ["1.10.0", true],
    ["1.10.2+ent", true],
    ["1.10.3", false],
    ["1.10.20", false],
    ["1.11.0", false],
    ["2.0.6-dev", false],
    ["", false],
  ])("%s: refused: %s", (version, isRefused) => {
    expect(refusals(early(version)) !== "").toBe(isRefused);
  });

  test("nothing is lost with batches, with an instance elsewhere, with one that may go, or of one machine", () => {
    expect(refusals(early("1.9.7"), { laterHosts: ["broker-0-1"] })).toBe("");
    const world = early("1.9.7");
    web(world).running = 3;
    expect(refusals(world)).toBe("");
    Object.assign(web(world), { running: 2, maxParallel: 2 });
    expect(refusals(world)).toBe("");
    web(world).maxParallel = 1;
    pick(world.nomad.allocations, "web@broker-0-1").node = "broker-0-0-node";
    expect(refusals(world)).toBe("");
    pick(world.nomad.allocations, "web@broker-0-1").node = "broker-0-1-node";
    expect(refusals(world)).not.toBe("");
    expect(found(world, { workload: "stays" }).refusals).toEqual([]);
  });

  test("a server that is gone has no say", () => {
    const world = early("2.0.6");
    Object.assign(pick(world.nomad.members, "nomad-server-1-0.global"), { version: "1.9.7", status: "left" });
    expect(refusals(world)).toBe("");
  });
});

describe("warns", () => {
  test("where its work does not fit elsewhere, one by one", () => {
    const world = observed((one) => {
      for (const node of known(one.nomad.nodes)) node.used = { cpuMhz: 400, memoryMb: 800 };
      for (const each of known(one.nomad.allocations)) each.used = { cpuMhz: 350, memoryMb: 150 };
    });
    expect(refusals(world)).toBe("");
    expect(warnings(world)).toBe("");
    pick(world.nomad.nodes, "broker-1-0").used = { cpuMhz: 700, memoryMb: 800 };
    expect(warnings(world)).toBe("");
    pick(world.nomad.nodes, "broker-2-0").used = { cpuMhz: 400, memoryMb: 900 };
    expect(warnings(world)).toMatchInlineSnapshot(
      `"broker-0: no room is left on nodes elsewhere for 1 of default/web.g, with 350 MHz of CPU and 150 MiB of memory each; add hosts elsewhere first, or expect work to wait until the group is back"`,
    );
    expect(warnings(world, { retires: true })).toMatchInlineSnapshot(
      `"broker-0: no room is left on nodes elsewhere for 1 of default/web.g, with 350 MHz of CPU and 150 MiB of memory each; add hosts elsewhere first: the group does not come back"`,
    );
    expect(found(world, { workload: "stays" }).warnings).toEqual([]);
  });

  test("where two that need a node each find room on one alone", () => {
    const world = observed((one) => {
      racks(one);
      web(one).on = ["broker-0-0-node", "broker-0-1-node"];
      web(one).constraints = [{ LTarget: "", Operand: "distinct_hosts", RTarget: "true" }];
      for (const node of known(one.nomad.nodes))
        node.used = { cpuMhz: node.name === "broker-2-0" ? 0 : 1000, memoryMb: 0 };
    });
    expect(warnings(world)).toContain("no room is left on nodes elsewhere for 1 of default/web.g");
  });

  test("of a group in batches only for the work of the batch, which may go to what is new", () => {
    const world = observed((one) => {
      for (const node of known(one.nomad.nodes)) node.used = { cpuMhz: 1000, memoryMb: 0 };
    });
    const [later, own] = [{ laterHosts: ["broker-0-1"] }, [{ group: "broker-0", reasons: [] }]];
    expect(warnings(world, later)).toContain("no room is left on nodes elsewhere for 1 of default/web.g");
    Object.assign(pick(world.nomad.nodes, "broker-0-0"), {
      meta: { rollout_template_hash: NEW },
      used: { cpuMhz: 0, memoryMb: 0 },
    });
    expect(warnings(world, { hash: NEW, inFlight: own })).toBe("");
    expect(warnings(world, { inFlight: own })).toContain(
      "no room is left on nodes elsewhere for 2 of default/web.g",
    );
  });

  test("of what cannot get work, which is not free: ineligible, draining and dead nodes do not count", () => {
    const world = observed((one) => {
      for (const node of known(one.nomad.nodes)) node.used = { cpuMhz: 900, memoryMb: 0 };
      pick(one.nomad.nodes, "broker-1-0-node").eligibility = "ineligible";
      pick(one.nomad.nodes, "broker-1-1-node").drain = { deadlineAt: null };
    });
    expect(warnings(world)).toContain("no room is left on nodes elsewhere for 1 of default/web.g");
  });

  test("of a service that fails its checks already", () => {
    const world = observed((one) => {
      const check = { node: "broker-0-0", id: "kafka-tcp", service: "kafka", status: "critical" } as const;
      known(one.consul.health).push(check, { ...check, node: "broker-1-0" }, { ...check, status: "passing" });
      known(one.consul.health).push({ ...check, id: "serfHealth", service: "" });
    });
    expect(warnings(world)).toMatchInlineSnapshot(
      `"broker-0: kafka (kafka-tcp) on broker-0-0 is critical already; its gate waits for that, so mend it first"`,
    );
    expect(warnings(world, { laterHosts: ["broker-0-0"] })).toBe("");
  });

  test("of a deployment that is not over", () => {
    const world = observed((one) => {
      web(one).isUpdating = true;
    });
    expect(warnings(world)).toMatchInlineSnapshot(
      `"broker-0: a deployment of default/web.g is not over: some of it is a canary or of an earlier version; let it end, or promote or fail it, first"`,
    );
    expect(warnings(world, { workload: "stays" })).toContain("a deployment of default/web.g is not over");
  });

  test("of work that waits for its machine and may not go all at once: its drain runs into the deadline", () => {
    const world = observed((one) => {
      web(one).maxParallel = 1;
    });
    const stays = { workload: "stays" } as const;
    expect(warnings(world, stays)).toMatchInlineSnapshot(
      `"broker-0: 2 of default/web.g leave, 1 at a time (max_parallel), and none comes back before its machine: the drain runs into its deadline; raise max_parallel in the job's migrate block, or let the pool go in batches (maxUnavailable: 1)"`,
    );
    expect(warnings(world)).toBe("");
    expect(warnings(world, { ...stays, laterHosts: ["broker-0-1"] })).toBe("");
    for (const member of known(world.nomad.members)) member.version = "1.9.7";
    expect(warnings(world, stays)).toBe("");
    web(world).maxParallel = 2;
    for (const member of known(world.nomad.members)) member.version = "2.0.6";
    expect(warnings(world, stays)).toBe("");
  });

  test("of work that is killed before it has written its data", () => {
    const world = observed((one) => {
      web(one).killTimeoutSeconds = 5;
    });
    expect(warnings(world, { workload: "stays" })).toMatchInlineSnapshot(
      `"broker-0: default/web.g is killed 5 s after it was told to end (kill_timeout), and its data is on a data volume; raise kill_timeout in the job to what it takes to end in order"`,
    );
    expect(warnings(world)).toBe("");
    web(world).killTimeoutSeconds = 6;
    expect(warnings(world, { workload: "stays" })).toBe("");
  });
});

test("agrees with every way to place the work: refused is only what goes nowhere, and silence means that it fits", () => {
  const size = fc.integer({ min: 1, max: 3 });
  fc.assert(
    fc.property(
      fc.record({
        nodes: fc.array(
          fc.record({ rack: fc.constantFrom("a", "b"), cpuMhz: size, memoryMb: size, has: fc.boolean() }),
          {
            maxLength: 3,
          },
        ),
        jobs: fc.array(
          fc.record({
            rack: fc.constantFrom("a", "b", undefined),
            isDistinct: fc.boolean(),
            allocations: fc.array(fc.record({ cpuMhz: size, memoryMb: size }), {
              minLength: 1,
              maxLength: 2,
            }),
          }),
          { minLength: 1, maxLength: 2 },
        ),
      }),
      ({ nodes, jobs }) => {
        const world = smallWorld(nodes, jobs);
        const { refusals, warnings } = workFindings(world, GROUP, { workload: "moves", inFlight: [] });
        if (refusals.length > 0) expect(canBePlaced(nodes, jobs, false)).toBe(false);
        else if (warnings.length === 0) expect(canBePlaced(nodes, jobs, true)).toBe(true);
        else expect(canBePlaced(nodes, jobs, false)).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});

interface Size {
  readonly cpuMhz: number;
  readonly memoryMb: number;
}
interface SmallNode extends Size {
  readonly rack: string;
  /** Whether it has work of every job already. */
  readonly has: boolean;
}
interface SmallJob {
  readonly rack: string | undefined;
  readonly isDistinct: boolean;
  readonly allocations: readonly Size[];
}

/** Every way to place every allocation, without a thought. */
function canBePlaced(nodes: readonly SmallNode[], jobs: readonly SmallJob[], hasRoom: boolean): boolean {
  const all = jobs.flatMap((job) => job.allocations.map((used) => ({ job, used })));
  const place = (index: number, on: readonly number[]): boolean => {
    const one = all[index];
    if (!one) return true;
    return nodes.some((node, at) => {
      const here = all.slice(0, index).filter((_, other) => on[other] === at);
      if (one.job.rack !== undefined && one.job.rack !== node.rack) return false;
      if (one.job.isDistinct && (node.has || here.some(({ job }) => job === one.job))) return false;
      const sum = (of: keyof Size): number =>
        here.reduce((total, { used }) => total + used[of], one.used[of]);
      if (hasRoom && (sum("cpuMhz") > node.cpuMhz || sum("memoryMb") > node.memoryMb)) return false;
      return place(index + 1, [...on, at]);
    });
  };
  return place(0, []);
}

function smallWorld(nodes: readonly SmallNode[], jobs: readonly SmallJob[]): World {
  return observed((one) => {
    const brokers = known(one.nomad.nodes).filter(({ name }) => name.startsWith("broker-0"));
    const [template] = brokers;
    if (!template) throw new Error("no broker");
    const others = nodes.map(({ rack, cpuMhz, memoryMb }, index): NomadNode => ({
      ...template,
      ...{ id: `n${String(index)}`, name: `other-${String(index)}` },
      ...{
        meta: { rack },
        attributes: {},
        resources: { cpuMhz, memoryMb },
        used: { cpuMhz: 0, memoryMb: 0 },
      },
    }));
    const on = ["broker-0-0-node", ...nodes.flatMap(({ has }, index) => (has ? [`n${String(index)}`] : []))];
    const [first] = known(one.nomad.allocations);
    if (!first) throw new Error("no allocation");
    const constraintsOf = ({ rack, isDistinct }: SmallJob): Constraint[] => [
      ...(rack === undefined ? [] : [{ LTarget: "${meta.rack}", Operand: "=", RTarget: rack }]),
      ...(isDistinct ? [{ LTarget: "", Operand: "distinct_hosts", RTarget: "" }] : []),
    ];
    const spec = jobs.map((job, index): NomadJob => ({
      ...{ id: `j${String(index)}`, namespace: "default", type: "service" },
      groups: [{ ...{ name: "g", desired: 0, running: 9, healthy: 9 }, on, constraints: constraintsOf(job) }],
    }));
    const allocations = jobs.flatMap((job, index) =>
      job.allocations.map((used, number): Allocation => ({
        ...first,
        ...{
          id: `${String(index)}/${String(number)}`,
          job: `j${String(index)}`,
          node: "broker-0-0-node",
          used,
        },
      })),
    );
    Object.assign(one.nomad, { nodes: [...brokers, ...others], jobs: spec, allocations });
  });
}
