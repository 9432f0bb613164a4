import { describe, expect, test } from "@jest/globals";
import type { Deployed } from "../../cluster/deployed.js";
import { groupsInFlight } from "../../cluster/pending.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import {
  change,
  cutAfterLeave,
  deployedAs,
  exampleSpec,
  groupIn,
  localSpec,
  poolOf,
  nothing,
  resourcesOf,
  revisionsOf,
  withGroup,
  withoutAddresses,
  type Resources,
} from "../support/fixtures.js";

const local = localSpec();
const standing = deployedAs(local);
const HASH = "9ed2e93399";
const NEW_HASH = "1556e11189";

describe("a group that grows", () => {
  const view = resourcesOf(withHosts(4), standing, "broker-0");

  test("touches no host that stays: all but config_consul is frozen", () => {
    const frozen = [0, 1, 2].flatMap((host) =>
      ["", "-data", "-data-attachment", "-target"].map((kind) => `broker-0-${String(host)}${kind}`),
    );
    expect(protectedAs(view, "frozen")).toEqual(frozen.sort());
  });

  test("keeps the new data volume from being destroyed, and the history", () => {
    expect(protectedAs(view, "kept")).toEqual(["broker-0-3-data", "broker-0-revision"]);
  });

  test("asks no host to leave, since all that are there stay", () => {
    expect(commandOf(view, "broker-0-leave")).toBe(
      `exec node "../../../dist/bin/rollout.js" hook leave broker-0 --hash ${HASH} --stay broker-0-0,broker-0-1,broker-0-2,broker-0-3`,
    );
  });

  test("makes no revision, since the template is the same", () => {
    expect(revisionsOf(view, "broker-0")).toMatchObject([{ number: 1, hash: HASH }]);
  });

  test("waits in ready for the new host, too", () => {
    expect(view.get("terraform_data.broker-0-ready")).toMatchObject({
      triggers_replace: {
        hosts: [0, 1, 2, 3].map((n) => `\${terraform_data.broker-0-${String(n)}.id}`).join(),
      },
    });
  });
});

describe("a group that shrinks", () => {
  const view = resourcesOf(withHosts(1), standing, "broker-0");

  test("drops the last hosts and what hangs on them, and keeps their data volumes", () => {
    expect(membersOf(view, "broker-0-")).toEqual([
      "broker-0-0",
      "broker-0-0-config-consul",
      "broker-0-0-data",
      "broker-0-0-data-attachment",
      "broker-0-0-target",
      "broker-0-1-data",
      "broker-0-2-data",
      "broker-0-leave",
      "broker-0-ready",
      "broker-0-revision",
    ]);
    expect(protectedAs(view, "frozen")).toEqual(
      expect.arrayContaining(["broker-0-0", "broker-0-1-data", "broker-0-2-data"]),
    );
  });

  test("asks only those to leave that do not stay", () => {
    expect(commandOf(view, "broker-0-leave")).toContain(`--hash ${HASH} --stay broker-0-0`);
    expect(commandOf(view, "broker-0-leave")).not.toContain("broker-0-1");
  });

  test("keeps parked volumes in every view, and takes them up again when it grows", () => {
    const shrunk = afterShrinking(standing);
    for (const name of ["cluster", "broker-1"]) {
      const other = resourcesOf(withHosts(1), shrunk, name);
      expect(other.get("terraform_data.broker-0-2-data")).toMatchObject({
        lifecycle: { prevent_destroy: true, ignore_changes: "all" },
      });
    }
    const grown = resourcesOf(withHosts(3), shrunk, "broker-0");
    expect(grown.get("terraform_data.broker-0-2-data-attachment")).toMatchObject({
      triggers_replace: { volume: "${terraform_data.broker-0-2-data.id}" },
    });
  });
});

describe("a group that changes its image and its number of hosts at once", () => {
  test.each([2, 4])("to %i hosts replaces all and lets all leave", (hosts) => {
    const view = resourcesOf(withHosts(hosts, "ami-0bbb"), standing, "broker-0");
    expect(protectedAs(view, "frozen")).toEqual([]);
    expect(commandOf(view, "broker-0-leave")).toContain(`--hash ${NEW_HASH} `);
    expect(view.has(`terraform_data.broker-0-${String(hosts)}`)).toBe(false);
    expect(revisionsOf(view, "broker-0")).toMatchObject([{ number: 1 }, { number: 2, hash: NEW_HASH }]);
  });
});

describe("a group whose gate is closed", () => {
  const rolled = (): Resources => resourcesOf(withHosts(3, "ami-0bbb"), standing, "broker-0");

  test("keeps its history as it is deployed", () => {
    expect(revisionsOf(rolled(), "broker-0", "closed")).toEqual(groupIn(standing, "broker-0").revisions);
  });

  test("is told so by the variable of the view, in what triggers ready and in what its hook is given", () => {
    expect(rolled().get("terraform_data.broker-0-ready")).toMatchObject({
      triggers_replace: { gate: "${var.rollout_gate}" },
      provisioner: [{ "local-exec": { environment: { ROLLOUT_GATE: "${var.rollout_gate}" } } }],
    });
  });

  test("closes no other group's, and none that is created", () => {
    expect(rolled().get("terraform_data.broker-1-ready")).toMatchObject({
      triggers_replace: { gate: "open" },
    });
    const created = resourcesOf(withHosts(3), nothing(), "cluster").get("terraform_data.broker-0-ready");
    expect(created).toMatchObject({
      triggers_replace: { gate: "open" },
      provisioner: [{ "local-exec": { environment: { ROLLOUT_GATE: "open" } } }],
    });
  });
});

describe("a group that was cut off", () => {
  test("keeps the hosts of the new template and replaces the others", () => {
    const group = groupIn(standing, "broker-0");
    const hosts = group.hosts.map((host) =>
      host.number === 0 ? { ...host, image: "ami-0bbb", hash: NEW_HASH } : host,
    );
    const cut = withGroup(standing, "broker-0", { hosts });
    const view = resourcesOf(withHosts(3, "ami-0bbb"), cut, "broker-0");
    expect(protectedAs(view, "frozen")).toEqual([
      "broker-0-0",
      "broker-0-0-data",
      "broker-0-0-data-attachment",
      "broker-0-0-target",
    ]);
  });

  test("replaces a tainted host with all that hangs on it", () => {
    const left = cutAfterLeave(local, standing, "broker-0");
    const hosts = groupIn(left, "broker-0").hosts.map((host) => ({
      ...host,
      image: "ami-0bbb",
      hash: NEW_HASH,
    }));
    const cut = withGroup(left, "broker-0", { hosts, tainted: ["terraform_data.broker-0-1"] });
    const view = resourcesOf(withHosts(3, "ami-0bbb"), cut, "broker-0");
    expect(protectedAs(view, "frozen").filter((name) => name.startsWith("broker-0-1"))).toEqual([]);
    expect(protectedAs(view, "kept")).toEqual(["broker-0-1-data", "broker-0-revision"]);
  });

  test("replaces a tainted attachment alone", () => {
    const cut = withGroup(standing, "broker-0", { tainted: ["terraform_data.broker-0-1-data-attachment"] });
    const frozen = protectedAs(resourcesOf(local, cut, "broker-0"), "frozen");
    expect(frozen).toContain("broker-0-1");
    expect(frozen).not.toContain("broker-0-1-data-attachment");
  });

  test("attaches a new volume where one was lost with its machine", () => {
    const { volumes, hosts } = groupIn(standing, "broker-0");
    const lost = withGroup(standing, "broker-0", {
      volumes: volumes.filter(({ host }) => host !== 1),
      hosts: hosts.filter(({ number }) => number !== 1),
    });
    const deployed = withoutAddresses(
      lost,
      "terraform_data.broker-0-1",
      "terraform_data.broker-0-1-data",
      "terraform_data.broker-0-1-data-attachment",
    );
    const frozen = protectedAs(resourcesOf(local, deployed, "broker-0"), "frozen");
    expect(frozen).toContain("broker-0-0");
    expect(frozen).not.toContain("broker-0-1-data-attachment");
  });

  test("makes a lost host anew and asks none of the others to leave", () => {
    const { hosts } = groupIn(standing, "broker-0");
    const lost = withGroup(standing, "broker-0", { hosts: hosts.filter(({ number }) => number !== 1) });
    const deployed = withoutAddresses(lost, "terraform_data.broker-0-1");
    const view = resourcesOf(local, deployed, "broker-0");
    expect(view.get("terraform_data.broker-0-1")).not.toHaveProperty("lifecycle");
    expect(view.get("terraform_data.broker-0-leave")?.["triggers_replace"]).toEqual({
      hash: HASH,
      hosts: "broker-0-0,broker-0-1,broker-0-2",
    });
    expect(resourcesOf(local, deployed, "cluster").has("terraform_data.broker-0-1")).toBe(false);
  });
});

describe("a host that stays", () => {
  const aws = exampleSpec();
  const awsStanding = deployedAs(aws);
  const grown = (edit: (spec: Extract<Spec, { platform: "aws" }>) => void): Spec =>
    change(aws, (spec) => {
      poolOf(spec, "name-server").hosts = [2, 1, 1];
      if (spec.platform === "aws") edit(spec);
    });

  test("stays in its subnet when the spec names another", () => {
    const spec = change(
      grown(({ aws: settings }) => {
        settings.subnetIds[0] = "subnet-0d1";
      }),
      (edited) => {
        delete poolOf(edited, "broker").dataVolumes;
      },
    );
    const plain = change(aws, (edited) => {
      delete poolOf(edited, "broker").dataVolumes;
    });
    const view = resourcesOf(spec, deployedAs(plain), "name-server-0");
    expect(view.get("aws_instance.name-server-0-0")).toMatchObject({
      subnet_id: "subnet-0a1",
      lifecycle: { prevent_destroy: true, ignore_changes: "all" },
    });
    expect(view.get("aws_instance.name-server-0-1")).toMatchObject({ subnet_id: "subnet-0d1" });
  });

  test("is left alone where somebody has changed its type by hand", () => {
    const hosts = groupIn(awsStanding, "name-server-0").hosts.map((host) => ({
      ...host,
      instanceType: "t3.large",
    }));
    const drifted = withGroup(awsStanding, "name-server-0", { hosts });
    const view = resourcesOf(
      grown(() => undefined),
      drifted,
      "name-server-0",
    );
    expect(view.get("aws_instance.name-server-0-0")).toMatchObject({ instance_type: "t3.large" });
    expect(view.get("aws_instance.name-server-0-1")).toMatchObject({ instance_type: "t3.small" });
  });
});

describe("data volumes that a pool gets later", () => {
  const volume = { sizeGib: 20, type: "gp3" } as const;
  const spec = change(local, (edited) => {
    edited.rollout.pendingGroups = "queue";
    poolOf(edited, "name-server").dataVolumes = [volume, volume, volume];
  });

  test("come with the roll of each group, and no other view makes one", () => {
    const own = resourcesOf(spec, standing, "name-server-0");
    expect(membersOf(own, "name-server-").filter((name) => name.includes("data"))).toEqual([
      "name-server-0-0-data",
      "name-server-0-0-data-attachment",
    ]);
    const cluster = resourcesOf(spec, standing, "cluster");
    expect(membersOf(cluster, "name-server-").filter((name) => name.includes("data"))).toEqual([]);
  });
});

test("data volumes that a pool has no longer are kept, attached as they are", () => {
  const spec = change(local, (edited) => {
    edited.rollout.pendingGroups = "queue";
    const broker = poolOf(edited, "broker");
    delete broker.dataVolumes;
    broker.workload = "moves";
  });
  const view = resourcesOf(spec, standing, "broker-0");
  expect(protectedAs(view, "kept")).toEqual([
    "broker-0-0-data",
    "broker-0-1-data",
    "broker-0-2-data",
    "broker-0-revision",
  ]);
  expect(view.has("terraform_data.broker-0-2-data-attachment")).toBe(true);
});

describe("a load balancer that a pool gets later", () => {
  const spec = change(local, (edited) => {
    poolOf(edited, "name-server").loadBalancer = {
      port: 9876,
      protocol: "tcp",
      internal: true,
      deregistrationDelay: "60s",
    };
  });
  const balanced: Deployed = {
    ...standing,
    addresses: new Set([...standing.addresses, "terraform_data.name-server-load-balancer"]),
  };

  test("comes by the cluster view, which attaches no host that stands", () => {
    const view = resourcesOf(spec, standing, "cluster");
    expect(view.get("terraform_data.name-server-load-balancer")).toMatchObject({
      lifecycle: { prevent_destroy: true },
    });
    expect(membersOf(view, "name-server-").filter((name) => name.endsWith("target"))).toEqual([]);
  });

  test("is not there in the view of a group before", () => {
    const view = resourcesOf(spec, standing, "name-server-0");
    expect(membersOf(view, "name-server-").filter((name) => /target|load-balancer/.test(name))).toEqual([]);
  });

  test("puts its groups in flight, and the view of each attaches its own hosts and replaces none", () => {
    expect(groupsInFlight(balanced, "local").map(({ group }) => group)).toEqual([
      "name-server-0",
      "name-server-1",
      "name-server-2",
    ]);
    const view = resourcesOf(spec, balanced, "name-server-0");
    expect(membersOf(view, "name-server-").filter((name) => /target|drained/.test(name))).toEqual([
      "name-server-0-0-target",
    ]);
    expect(protectedAs(view, "frozen", "name-server-0")).toEqual([
      "name-server-0-0",
      "name-server-0-0-target",
    ]);
  });
});

function withHosts(hosts: number, image = "ami-0aaa"): Spec {
  return change(local, (spec) => {
    const broker = poolOf(spec, "broker");
    broker.hosts = [hosts, 3, 3];
    broker.images[0] = image;
  });
}

/** What the state says once broker-0 has shrunk to one host. */
function afterShrinking(deployed: Deployed): Deployed {
  const group = groupIn(deployed, "broker-0");
  const hosts = group.hosts.slice(0, 1);
  const gone = [...deployed.addresses].filter((address) => /\.broker-0-[12](-(?!data$)|$)/.test(address));
  return withoutAddresses(
    withGroup(deployed, "broker-0", { hosts, ready: { hosts: "i-broker-0-0", hash: HASH, gate: "open" } }),
    ...gone,
  );
}

/** The members of a group that nothing may happen to (frozen), or that are never destroyed (kept). */
function protectedAs(view: Resources, how: "frozen" | "kept", group = "broker-0"): string[] {
  const wanted = {
    frozen: { ignore_changes: "all", prevent_destroy: true },
    kept: { prevent_destroy: true },
  };
  return membersOf(view, `${group}-`).filter((name) => {
    const lifecycle = { ...(view.get(`terraform_data.${name}`)?.["lifecycle"] as object | undefined) };
    // What a revision asks before it is written has its own tests.
    const protects = Object.entries(lifecycle).filter(([key]) => key !== "precondition");
    return JSON.stringify(Object.fromEntries(protects)) === JSON.stringify(wanted[how]);
  });
}

/** The Terraform names that begin so, sorted. */
const membersOf = (view: Resources, prefix: string): string[] =>
  [...view.keys()]
    .map((address) => address.replace("terraform_data.", ""))
    .filter((name) => name.startsWith(prefix))
    .sort();

function commandOf(view: Resources, name: string): string | undefined {
  const { provisioner } = view.get(`terraform_data.${name}`) as {
    provisioner: readonly { "local-exec": { command: string } }[];
  };
  return provisioner[0]?.["local-exec"].command;
}
