import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { groupAddress, hostAddress } from "../../cluster/address.js";
import { deployedFromSpec, withDead, type Deployed, type DeployedGroup } from "../../cluster/deployed.js";
import { groupsOf, type Group } from "../../cluster/groups.js";
import { describePending, groupsInFlight, inFlightOf, pendingGroups } from "../../cluster/pending.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { deployedAs, groupIn, smallSpec, withGroup as withValues } from "../support/fixtures.js";
import { EXAMPLE, exampleWith, rawSpec, specOf, type RawSpec } from "./yaml/example.js";

test("a group whose machine was seen dead comes before another that waits in its gate, maybe for that machine", () => {
  const spec = smallSpec();
  const gated = withValues(deployedAs(spec), "broker-0", { tainted: ["terraform_data.broker-0-ready"] });
  const ids = new Set(groupIn(gated, "broker-1").hosts.map(({ id = "" }) => id));
  const dead = withDead(gated, { name: "broker-1", platform: spec.platform, ids });
  expect(inFlightOf(spec, dead).map(({ group }) => group)).toEqual(["broker-1", "broker-0"]);
});

describe("pendingGroups", () => {
  test("a spec that is deployed has none", () => {
    fc.assert(
      fc.property(rawSpec, (raw) => {
        const spec = parse(raw);
        expect(pendingGroups(spec, deployedFromSpec(spec, "git:HEAD", new Set()))).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  test("k changed groups are exactly k, in the rollout's order", () => {
    fc.assert(
      fc.property(rawSpec, fc.infiniteStream(fc.tuple(fc.boolean(), fc.nat(4))), (any, choices) => {
        const raw = JSON.parse(JSON.stringify(any)) as RawSpec;
        const before = parse(raw);
        const changed = groupsOf(before).filter((group) => {
          const [chosen, kind] = choices.next().value as [boolean, number];
          if (chosen) change(raw, group, kind);
          return chosen;
        });
        const pending = pendingGroups(parse(raw), deployedFromSpec(before, "git:HEAD", new Set()));
        expect(pending.map(({ name }) => name)).toEqual(changed.map(({ name }) => name));
      }),
      { numRuns: 100 },
    );
  });

  test("a group that was never deployed is new, not pending", () => {
    const groups = new Map(standing().groups);
    groups.delete("broker-0");
    groups.set("broker-1", neverStood("broker-1"));
    const spec = specOf(
      EXAMPLE.replace(
        "[ami-0aaa, ami-0aaa, ami-0aaa]\n    instanceTypes: [m6i",
        "[ami-1, ami-1, ami-1]\n    instanceTypes: [m6i",
      ),
    );
    expect(namesOf(pendingGroups(spec, { ...standing(), groups }))).toEqual(["broker-2"]);
  });

  test("a group that is no longer in the spec is not pending: it is removed", () => {
    const deployed = deployedFromSpec(specOf(EXAMPLE), "git:HEAD", new Set());
    const without = { ...specOf(EXAMPLE) };
    const { broker, ...pools } = without.pools;
    expect(broker).toBeDefined();
    expect(pendingGroups({ ...without, pools }, deployed)).toEqual([]);
  });

  test("a group is pending while fewer hosts stand than ready was passed for", () => {
    const three = groupOf(standing(), "broker-0");
    const two = { ...three, hosts: three.hosts.slice(0, 2) };
    expect(namesOf(pendingGroups(specOf(EXAMPLE), withGroup(standing(), two)))).toEqual([]);
    const passed = {
      ...two,
      ready: { hosts: "i-broker-0-0,i-broker-0-1", hash: three.hosts[0]?.hash ?? "", gate: "open" },
    };
    expect(namesOf(pendingGroups(specOf(EXAMPLE), withGroup(standing(), passed)))).toEqual(["broker-0"]);
  });

  test("the last revision counts, not what the hosts run half way", () => {
    const group = groupOf(standing(), "broker-0");
    const half = { ...group, hosts: group.hosts.map((host) => ({ ...host, hash: "fffffffff0" })) };
    expect(pendingGroups(specOf(EXAMPLE), withGroup(standing(), half))).toEqual([]);
  });
});

describe("describePending", () => {
  test.each([
    [
      "an image",
      [
        "images: [ami-0aaa, ami-0aaa, ami-0aaa]\n    instanceTypes: [m6i",
        "images: [ami-0bbb, ami-0aaa, ami-0aaa]\n    instanceTypes: [m6i",
      ],
      "ami-0aaa -> ami-0bbb",
    ],
    ["an instance type", ["[m6i.large,", "[m6i.xlarge,"], "m6i.large -> m6i.xlarge"],
    ["a generation", ["generations: [0,", "generations: [1,"], "generation 0 -> generation 1"],
    [
      "a data volume",
      ["{ sizeGib: 100, type: gp3 }", "{ sizeGib: 200, type: st1 }"],
      "100 GiB gp3 -> 200 GiB st1",
    ],
    ["the number of hosts", ["hosts: [3,", "hosts: [4,"], "3 -> 4 hosts"],
  ] as const)("names %s that has changed", (_, replacement, expected) => {
    const [group] = pendingGroups(specOf(exampleWith(replacement)), standing());
    expect(group && describePending(group, groupOf(standing(), group.name))).toBe(expected);
  });

  test("names everything that has changed", () => {
    const spec = specOf(exampleWith(["[m6i.large,", "[m6i.xlarge,"], ["hosts: [3,", "hosts: [4,"]));
    const [group] = pendingGroups(spec, standing());
    expect(group && describePending(group, groupOf(standing(), group.name))).toBe(
      "m6i.large -> m6i.xlarge, 3 -> 4 hosts",
    );
  });

  test("says how many machines there are in the middle of a surge, and how many there are to be", () => {
    const spec = specOf(exampleWith(["[m6i.large,", "[m6i.xlarge,"]));
    const [desired] = pendingGroups(spec, standing());
    if (!desired) throw new Error("nothing is pending");
    const group = groupOf(standing(), desired.name);
    const hosts = [0, 1, 2, 3].map((number) => ({
      ...(group.hosts[0] ?? { image: "", instanceType: "" }),
      ...{ number, name: `x-${String(number)}`, hash: number === 3 ? desired.hash : "fffffffff0" },
    }));
    const image = "m6i.large -> m6i.xlarge";
    const surging = { ...desired, surges: true as const };
    expect(describePending(surging, { ...group, hosts })).toBe(
      `${image}, 4 machines now, 3 once it is whole`,
    );
    expect(describePending(surging, { ...group, hosts: hosts.slice(1) })).toBe(image);
    expect(describePending({ ...surging, hosts: 2 }, group)).toBe(`${image}, 3 -> 2 hosts`);
    const completed = { attempt: 1, hosts: "", gate: "closed", numbers: [0, 1, 2, 3] };
    expect(describePending(desired, { ...group, hosts, completed })).toContain("4 machines now");
  });
});

describe("groupsInFlight", () => {
  test("a server that is gone comes before all others, a Consul server before a Nomad server", () => {
    const order = (deployed: Deployed): string[] => groupsInFlight(deployed, "aws").map(({ group }) => group);
    const changed = (deployed: Deployed, name: string, changes: Partial<DeployedGroup>): Deployed =>
      withGroup(deployed, { ...groupOf(deployed, name), ...changes });
    const left = changed(standing(), "consul-server-2", { leave: false });
    expect(order(changed(left, "broker-1", { hosts: [] }))).toEqual(["consul-server-2", "broker-1"]);
    const gone = changed(left, "nomad-server-1", { hosts: [] });
    expect(order(gone)).toEqual(["nomad-server-1", "consul-server-2"]);
    expect(order(changed(gone, "consul-server-2", { hosts: [] }))).toEqual([
      "consul-server-2",
      "nomad-server-1",
    ]);
  });

  test("a cluster that stands has none", () => {
    expect(groupsInFlight(standing(), "aws")).toEqual([]);
  });

  test("nothing is in flight in a spec that was taken as deployed", () => {
    expect(groupsInFlight(deployedFromSpec(specOf(EXAMPLE), "git:HEAD", new Set()), "aws")).toEqual([]);
  });

  test("a group that has never stood is new, not in flight", () => {
    const group = { ...neverStood("broker-0"), leave: false, tainted: ["aws_instance.broker-0-0"] };
    const groups = new Map(standing().groups).set("broker-0", group);
    expect(groupsInFlight({ ...standing(), groups }, "aws")).toEqual([]);
  });

  test("a group whose first gate failed is new still", () => {
    const tainted = ["null_resource.broker-0-ready"];
    expect(inFlightWith("broker-0", { revisions: [], tainted })).toEqual([]);
  });

  test("a group whose record is lost has stood, and is in flight", () => {
    expect(inFlightWith("broker-0", { revisions: [] })).toEqual([
      { group: "broker-0", reasons: ["terraform_data.broker-0-revision is missing or empty"] },
    ]);
  });

  test.each<[string, Partial<DeployedGroup>, string]>([
    ["a tainted host", { tainted: ["aws_instance.broker-0-0"] }, "aws_instance.broker-0-0 is tainted"],
    [
      "a tainted ready",
      { tainted: ["null_resource.broker-0-ready"] },
      "null_resource.broker-0-ready is tainted",
    ],
    [
      "a deposed host",
      { deposed: ["aws_instance.broker-0-1"] },
      "aws_instance.broker-0-1 has an old object that is still to be destroyed",
    ],
    ["a leave that has run", { leave: false }, "null_resource.broker-0-leave is missing: the group has left"],
    [
      "a ready that was passed for other hosts",
      { ready: { hosts: "i-old", hash: "HASH", gate: "open" } },
      "null_resource.broker-0-ready was passed for the hosts i-old, there are i-broker-0-0,i-broker-0-1,i-broker-0-2",
    ],
    [
      "a ready that was passed for nothing",
      { ready: { hosts: "", hash: "HASH", gate: "open" } },
      "null_resource.broker-0-ready was passed for the hosts none, there are i-broker-0-0,i-broker-0-1,i-broker-0-2",
    ],
    [
      "a ready that was passed for another template",
      { ready: { hosts: "HOSTS", hash: "fffffffff0", gate: "open" } },
      "null_resource.broker-0-ready was passed for the template fffffffff0, the hosts run HASH",
    ],
    [
      "a closed gate",
      { ready: { hosts: "HOSTS", hash: "HASH", gate: "closed" } },
      "null_resource.broker-0-ready: its gate is closed",
    ],
  ])("a group with %s is", (_, changes, reason) => {
    const group = groupOf(standing(), "broker-0");
    const hash = group.hosts[0]?.hash ?? "";
    const fill = (text: string): string =>
      text.replace("HOSTS", group.ready?.hosts ?? "").replace("HASH", hash);
    const ready = changes.ready && {
      ...changes.ready,
      hosts: fill(changes.ready.hosts),
      hash: fill(changes.ready.hash),
    };
    expect(inFlightWith("broker-0", { ...changes, ...(ready ? { ready } : {}) })).toEqual([
      { group: "broker-0", reasons: [fill(reason)] },
    ]);
  });

  test("a group whose ready is missing is", () => {
    const { ready, ...group } = groupOf(standing(), "broker-0");
    expect(ready).toBeDefined();
    expect(groupsInFlight(withGroup(standing(), group), "aws")).toEqual([
      { group: "broker-0", reasons: ["null_resource.broker-0-ready is missing"] },
    ]);
  });

  test("a group that has lost a host is", () => {
    const group = groupOf(standing(), "broker-0");
    expect(inFlightWith("broker-0", { hosts: group.hosts.slice(0, 2) })).toEqual([
      {
        group: "broker-0",
        reasons: [
          "null_resource.broker-0-ready was passed for the hosts i-broker-0-0,i-broker-0-1,i-broker-0-2, there are i-broker-0-0,i-broker-0-1",
        ],
      },
    ]);
  });

  test("a group whose hosts run two templates is", () => {
    const group = groupOf(standing(), "broker-0");
    const hash = group.hosts[0]?.hash ?? "";
    const hosts = group.hosts.map((host) => (host.number === 2 ? { ...host, hash: "fffffffff0" } : host));
    expect(inFlightWith("broker-0", { hosts })).toEqual([
      {
        group: "broker-0",
        reasons: [`its hosts run 2 templates: ${[hash, "fffffffff0"].sort().join(", ")}`],
      },
    ]);
  });

  test.each(["data", "data-attachment", "target"] as const)("a group with a missing %s is", (kind) => {
    const address = hostAddress("aws", "broker-0", 1, kind);
    const addresses = new Set(standing().addresses);
    addresses.delete(address);
    expect(groupsInFlight({ ...standing(), addresses }, "aws")).toEqual([
      { group: "broker-0", reasons: [`${address} is missing`] },
    ]);
  });

  test("a volume or a load balancer that is not there asks for no attachment", () => {
    const spared = /^aws_(ebs_volume|volume_attachment|lb_target_group.*)\.broker|lb-drained$/;
    const addresses = new Set([...standing().addresses].filter((address) => !spared.test(address)));
    expect(groupsInFlight({ ...standing(), addresses }, "aws")).toEqual([]);
  });

  test.each(["start-agents", "stop-agents"] as const)(
    "a group with a missing %s is, where Terraform starts the agents",
    (missing) => {
      const address = (kind: "start-agents" | "stop-agents"): string =>
        hostAddress("aws", "broker-0", 1, kind);
      const addresses = new Set([...standing().addresses, address("start-agents"), address("stop-agents")]);
      expect(groupsInFlight({ ...standing(), addresses }, "aws")).toEqual([]);
      addresses.delete(address(missing));
      expect(groupsInFlight({ ...standing(), addresses }, "aws")).toEqual([
        { group: "broker-0", reasons: [`${address(missing)} is missing`] },
      ]);
    },
  );

  test("a group has all its reasons", () => {
    const [found] = inFlightWith("broker-0", { tainted: ["aws_instance.broker-0-0"], leave: false });
    expect(found?.reasons).toHaveLength(2);
  });

  test("servers come first, whatever the order in the state", () => {
    const broken = [...standing().groups.values()].map((group) => ({ ...group, leave: false })).reverse();
    const groups = new Map(broken.map((group) => [group.name, group]));
    expect(groupsInFlight({ ...standing(), groups }, "aws").map(({ group }) => group)).toEqual([
      "consul-server-0",
      "consul-server-1",
      "consul-server-2",
      "nomad-server-0",
      "nomad-server-1",
      "nomad-server-2",
      "broker-0",
      "broker-1",
      "broker-2",
      "name-server-0",
      "name-server-1",
      "name-server-2",
    ]);
  });

  test("on the local platform every member is a terraform_data", () => {
    const local = standing("local");
    expect(groupsInFlight(local, "local")).toEqual([]);
    expect(
      groupsInFlight(withGroup(local, { ...groupOf(local, "broker-0"), leave: false }), "local"),
    ).toEqual([
      { group: "broker-0", reasons: ["terraform_data.broker-0-leave is missing: the group has left"] },
    ]);
  });

  test.each<[string, Partial<DeployedGroup["hosts"][number]>, string]>([
    ["missing", { configConsul: undefined }, "is missing"],
    [
      "made for another machine",
      { configConsul: { host: "i-old", servers: "SERVERS" } },
      "was made for the machine i-old",
    ],
    [
      "made for other servers",
      { configConsul: { host: "i-broker-0-1", servers: "i-old" } },
      "names other Consul servers than there are",
    ],
  ])("a config_consul that is %s belongs to the Consul group that was rolled last", (_, changes, reason) => {
    const servers = [0, 1, 2].map((index) => `i-consul-server-${String(index)}-0`).join(",");
    const told = changes.configConsul && {
      ...changes.configConsul,
      servers: changes.configConsul.servers.replace("SERVERS", servers),
    };
    const hosts = groupOf(standing(), "broker-0").hosts.map(({ configConsul, ...host }) =>
      host.number === 1
        ? { ...host, ...(told ? { configConsul: told } : {}) }
        : { ...host, ...(configConsul ? { configConsul } : {}) },
    );
    const deployed = withGroup(rolledLast("consul-server-1"), { ...groupOf(standing(), "broker-0"), hosts });
    expect(groupsInFlight(deployed, "aws")).toEqual([
      { group: "consul-server-1", reasons: [`null_resource.broker-0-1-config-consul ${reason}`] },
    ]);
  });

  test("a tainted config_consul belongs to the Consul group that was rolled last", () => {
    const tainted = ["null_resource.broker-0-1-config-consul"];
    const deployed = withGroup(rolledLast("consul-server-2"), {
      ...groupOf(standing(), "broker-0"),
      tainted,
    });
    expect(groupsInFlight(deployed, "aws")).toEqual([
      { group: "consul-server-2", reasons: ["null_resource.broker-0-1-config-consul is tainted"] },
    ]);
  });

  test("a tainted config_consul belongs to the Consul group that is in flight, beside its own reasons", () => {
    const tainted = ["null_resource.broker-0-1-config-consul"];
    const broken = withGroup(rolledLast("consul-server-2"), { ...groupOf(standing(), "broker-0"), tainted });
    const deployed = withGroup(broken, { ...groupOf(broken, "consul-server-0"), leave: false });
    expect(groupsInFlight(deployed, "aws")).toEqual([
      {
        group: "consul-server-0",
        reasons: [
          "null_resource.consul-server-0-leave is missing: the group has left",
          "null_resource.broker-0-1-config-consul is tainted",
        ],
      },
    ]);
  });

  test("the config_consuls of a group that is in flight itself are its own matter", () => {
    const tainted = ["null_resource.broker-0-1-config-consul"];
    expect(inFlightWith("broker-0", { tainted, leave: false })).toEqual([
      { group: "broker-0", reasons: ["null_resource.broker-0-leave is missing: the group has left"] },
    ]);
  });

  test("a replaced Consul server leaves every config_consul to be renewed, by its own view", () => {
    const old = groupOf(standing(), "consul-server-1");
    const hosts = old.hosts.map((host) => ({
      ...host,
      id: "i-new",
      configConsul: { host: "i-new", servers: "i-new" },
    }));
    const hash = hosts[0]?.hash ?? "";
    const deployed = withGroup(standing(), {
      ...old,
      hosts,
      ready: { hosts: "i-new", hash, gate: "closed" },
    });
    const found = groupsInFlight(deployed, "aws");
    expect(found.map(({ group }) => group)).toEqual(["consul-server-1"]);
    expect(found[0]?.reasons).toContain(
      "null_resource.broker-2-2-config-consul names other Consul servers than there are",
    );
  });

  test("whatever one group lacks, no other group is in flight", () => {
    const lack = fc.constantFrom<Partial<DeployedGroup>>(
      { leave: false },
      { ready: { hosts: "i-old", hash: "x", gate: "closed" } },
      { deposed: ["aws_instance.x"] },
      { hosts: [] },
    );
    const clients = [...standing().groups.values()]
      .filter(({ role }) => role !== "consul-server")
      .map(({ name }) => name);
    fc.assert(
      fc.property(fc.constantFrom(...clients), lack, (name, changes) => {
        expect(inFlightWith(name, changes).map(({ group }) => group)).toEqual([name]);
      }),
    );
  });
});

const parse = (raw: RawSpec): Spec => specOf(JSON.stringify(raw));

const namesOf = (groups: readonly Group[]): string[] => groups.map(({ name }) => name);

/** Changes one value of a group, another for each kind. */
function change(raw: RawSpec, { pool, index, hosts }: Group, kind: number): void {
  const settings = raw.pools[pool];
  if (!settings) throw new Error(`no pool ${pool}`);
  if (kind === 1) settings.instanceTypes[index] = "c7g.large";
  else if (kind === 2) settings.generations[index] += 1;
  else if (kind === 3 && settings.hosts) settings.hosts[index] = hosts + 1;
  else if (kind === 4 && settings.dataVolumes) settings.dataVolumes[index].sizeGib += 1;
  else settings.images[index] += "0";
}

/** The example as the state shows it once it stands. */
function standing(platform: "aws" | "local" = "aws"): Deployed {
  const spec = specOf(EXAMPLE);
  const id = (name: string): string => `i-${name}`;
  const servers = [0, 1, 2].map((index) => id(`consul-server-${String(index)}-0`)).join(",");
  const base = deployedFromSpec(spec, "", new Set());
  const groups = [...base.groups.values()].map((group): DeployedGroup => {
    const hosts = group.hosts.map((host) => ({
      ...host,
      id: id(host.name),
      configConsul: { host: id(host.name), servers },
    }));
    const ready = { hosts: hosts.map((host) => host.id).join(","), hash: hosts[0]?.hash ?? "", gate: "open" };
    return { ...group, hosts, ready };
  });
  const kinds = ["host", "data", "data-attachment", "config-consul", "target"] as const;
  const ofBrokers = groups
    .filter(({ pool }) => pool === "broker")
    .flatMap(({ name, hosts }) => [
      ...hosts.flatMap(({ number }) => kinds.map((kind) => hostAddress(platform, name, number, kind))),
      groupAddress(platform, name, "leave"),
      groupAddress(platform, name, "ready"),
    ]);
  const balancer = platform === "aws" ? "aws_lb_target_group.broker" : "terraform_data.broker-load-balancer";
  return {
    origin: { kind: "state", where: "terraform.demo.tfstate", serial: 7, lineage: "demo" },
    cluster: "demo",
    groups: new Map(groups.map((group) => [group.name, group])),
    addresses: new Set([...ofBrokers, balancer]),
  };
}

/** The standing cluster with a Consul group whose last revision is newer than the others'. */
function rolledLast(name: string): Deployed {
  const group = groupOf(standing(), name);
  const revisions = group.revisions.flatMap((revision) => [revision, { ...revision, number: 1 }]);
  return withGroup(standing(), { ...group, revisions });
}

function groupOf(deployed: Deployed, name: string): DeployedGroup {
  const group = deployed.groups.get(name);
  if (!group) throw new Error(`no group ${name}`);
  return group;
}

const withGroup = (deployed: Deployed, group: DeployedGroup): Deployed => ({
  ...deployed,
  groups: new Map(deployed.groups).set(group.name, group),
});

const inFlightWith = (name: string, changes: Partial<DeployedGroup>): ReturnType<typeof groupsInFlight> =>
  groupsInFlight(withGroup(standing(), { ...groupOf(standing(), name), ...changes }), "aws");

/** A group as its creation leaves it where it was cut off before `ready`. */
function neverStood(name: string): DeployedGroup {
  const { ready, ...group } = groupOf(standing(), name);
  if (!ready) throw new Error(`${name} has not stood`);
  return { ...group, revisions: [] };
}
