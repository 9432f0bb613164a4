import { expect, test } from "@jest/globals";
import type { Deployed } from "../../cluster/deployed.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import {
  change,
  cutAfterLeave,
  deployedAs,
  exampleSpec,
  groupIn,
  localSpec,
  poolOf,
  refusal,
  resourcesOf,
  withGroup,
  withoutAddresses,
  withoutPool,
} from "../support/fixtures.js";

const local = localSpec();
const standing = deployedAs(local);
const broker = (edit: (pool: Spec["pools"][string]) => void): Spec =>
  change(local, (spec) => {
    edit(poolOf(spec, "broker"));
  });
const queued = (spec: Spec): Spec =>
  change(spec, (edited) => {
    edited.rollout.pendingGroups = "queue";
  });

test("refuses two changed images", () => {
  const spec = broker(({ images }) => {
    images[0] = "ami-0bbb";
    images[2] = "ami-0bbb";
  });
  expect(refusal(spec, standing, "cluster")).toMatchInlineSnapshot(
    `"one-group: 2 groups are pending, one may be: broker-0 (ami-0aaa -> ami-0bbb), broker-2 (ami-0aaa -> ami-0bbb); set all but one back, or set rollout.pendingGroups: queue to roll them one after another"`,
  );
  expect(refusal(spec, standing, "broker-0")).toBe(refusal(spec, standing, "cluster"));
});

test("refuses an image and the instance type of another group", () => {
  const spec = change(local, ({ pools }) => {
    pools["consul-server"].images[1] = "ami-0bbb";
    pools["nomad-server"].instanceTypes[0] = "t3.large";
  });
  expect(refusal(spec, standing, "consul-server-1")).toMatchInlineSnapshot(
    `"one-group: 2 groups are pending, one may be: consul-server-1 (ami-0aaa -> ami-0bbb), nomad-server-0 (t3.small -> t3.large); set all but one back, or set rollout.pendingGroups: queue to roll them one after another"`,
  );
});

test("refuses an image and the number of hosts of another group", () => {
  const spec = broker(({ images, hosts }) => {
    images[0] = "ami-0bbb";
    if (hosts) hosts[1] = 4;
  });
  expect(refusal(spec, standing, "broker-0")).toMatchInlineSnapshot(
    `"one-group: 2 groups are pending, one may be: broker-0 (ami-0aaa -> ami-0bbb), broker-1 (3 -> 4 hosts); set all but one back, or set rollout.pendingGroups: queue to roll them one after another"`,
  );
});

test("names every value that differs where more than one group is pending", () => {
  const spec = broker((pool) => {
    pool.images[0] = "ami-0bbb";
    pool.instanceTypes[0] = "m6i.xlarge";
    pool.generations = [1, 1, 0];
    pool.hosts = [2, 3, 3];
    if (pool.dataVolumes) pool.dataVolumes[0].sizeGib = 200;
  });
  expect(refusal(spec, standing, "cluster")).toMatchInlineSnapshot(
    `"one-group: 2 groups are pending, one may be: broker-0 (ami-0aaa -> ami-0bbb, m6i.large -> m6i.xlarge, generation 0 -> generation 1, 100 GiB gp3 -> 200 GiB gp3, 3 -> 2 hosts), broker-1 (generation 0 -> generation 1); set all but one back, or set rollout.pendingGroups: queue to roll them one after another"`,
  );
});

test("refuses a pool whose parameter is new, since it changes three groups", () => {
  const spec = change(local, (edited) => {
    const volume = { sizeGib: 20, type: "gp3" } as const;
    poolOf(edited, "name-server").dataVolumes = [volume, volume, volume];
  });
  expect(refusal(spec, standing, "cluster")).toMatchInlineSnapshot(
    `"one-group: 3 groups are pending, one may be: name-server-0 (no data volume -> 20 GiB gp3), name-server-1 (no data volume -> 20 GiB gp3), name-server-2 (no data volume -> 20 GiB gp3); set all but one back, or set rollout.pendingGroups: queue to roll them one after another"`,
  );
});

test("refuses a spec that drops a pool", () => {
  const spec = change(local, (edited) => {
    edited.pools = withoutPool(edited, "broker");
  });
  expect(refusal(spec, standing, "cluster")).toMatchInlineSnapshot(`
   "replace-not-delete: deployed groups are gone from the spec: broker-0, broker-1, broker-2; put their pool back under its name; a pool goes for good by: rollout retire broker
   data-volume-kept: data volumes would be lost: terraform_data.broker-0-0-data, terraform_data.broker-0-1-data, terraform_data.broker-0-2-data, terraform_data.broker-1-0-data, terraform_data.broker-1-1-data, terraform_data.broker-1-2-data, terraform_data.broker-2-0-data, terraform_data.broker-2-1-data, terraform_data.broker-2-2-data; keep declaring the volumes that the state holds, those of hosts that are gone included
   shared-kept: shared parts would be destroyed: terraform_data.broker-load-balancer; put back what declared them: a shared part, such as a load balancer, stays once it is there; with its whole pool it goes by: rollout retire POOL"
  `);
});

test("refuses a pool that was renamed", () => {
  const spec = change(local, (edited) => {
    const names = poolOf(edited, "name-server");
    edited.pools = withoutPool(edited, "name-server");
    Object.assign(edited.pools, { names });
  });
  expect(refusal(spec, standing, "cluster")).toMatchInlineSnapshot(
    `"replace-not-delete: deployed groups are gone from the spec (names is new: a renamed pool is another pool): name-server-0, name-server-1, name-server-2; put their pool back under its name; a pool goes for good by: rollout retire name-server"`,
  );
});

test("names the new pools in one order, whatever theirs in the spec", () => {
  const spec = (...names: readonly string[]): Spec =>
    change(local, (edited) => {
      const pool = poolOf(edited, "name-server");
      edited.pools = withoutPool(edited, "name-server");
      for (const name of names) Object.assign(edited.pools, { [name]: pool });
    });
  expect(refusal(spec("dns", "names"), standing, "cluster")).toMatchInlineSnapshot(
    `"replace-not-delete: deployed groups are gone from the spec (dns, names are new: a renamed pool is another pool): name-server-0, name-server-1, name-server-2; put their pool back under its name; a pool goes for good by: rollout retire name-server"`,
  );
  expect(refusal(spec("names", "dns"), standing, "cluster")).toBe(
    refusal(spec("dns", "names"), standing, "cluster"),
  );
});

test("refuses a load balancer that was taken away", () => {
  const spec = broker((pool) => {
    delete pool.loadBalancer;
  });
  expect(refusal(spec, standing, "cluster")).toMatchInlineSnapshot(
    `"shared-kept: shared parts would be destroyed: terraform_data.broker-load-balancer; put back what declared them: a shared part, such as a load balancer, stays once it is there; with its whole pool it goes by: rollout retire POOL"`,
  );
});

test("refuses a target while another group is in flight", () => {
  const { ready, ...group } = groupIn(standing, "broker-1");
  expect(ready).toBeDefined();
  const inFlight = {
    ...withoutAddresses(standing, "terraform_data.broker-1-ready"),
    groups: new Map(standing.groups).set("broker-1", group),
  };
  const spec = broker(({ images }) => {
    images[0] = "ami-0bbb";
  });
  expect(refusal(spec, inFlight, "broker-0")).toMatchInlineSnapshot(
    `"group-in-flight: broker-0 cannot be rolled while broker-1 is in flight: terraform_data.broker-1-ready is missing; finish it first with: rollout deploy broker-1"`,
  );
});

test("refuses a target while the creation of a new group has failed half-way", () => {
  const created = withGroup(standing, "name-server-2", {
    revisions: [],
    tainted: ["terraform_data.name-server-2-0", "terraform_data.name-server-2-ready"],
  });
  const spec = broker(({ images }) => {
    images[0] = "ami-0bbb";
  });
  const deployed = withoutAddresses(created, "terraform_data.name-server-2-revision");
  expect(refusal(spec, deployed, "broker-0")).toMatchInlineSnapshot(
    `"group-in-flight: broker-0 cannot be rolled while the creation of another group has failed half-way: terraform_data.name-server-2-0, terraform_data.name-server-2-ready are tainted; finish that first with: npx rollout deploy cluster"`,
  );
});

test("refuses to keep a group that has left and is set back to its old image", () => {
  const deployed = cutAfterLeave(local, standing, "broker-0");
  expect(refusal(local, deployed, "broker-0")).toMatchInlineSnapshot(
    `"leave-hook-runs: broker-0 has left, so these hosts cannot stay as they are: broker-0-0, broker-0-1, broker-0-2; raise generations[0] of pool broker to replace the group whole, or take the image that it was being rolled to"`,
  );
});

test("a group that has left goes on to the image that it was being rolled to, or to another", () => {
  const deployed = cutAfterLeave(local, standing, "broker-0");
  for (const image of ["ami-0bbb", "ami-0ccc"]) {
    const spec = broker(({ images }) => {
      images[0] = image;
    });
    expect(resourcesOf(spec, deployed, "broker-0").get("terraform_data.broker-0-2")).toMatchObject({
      input: { image },
    });
  }
});

test("a group that has left goes back to its old image on machines of another generation", () => {
  const deployed = cutAfterLeave(local, standing, "broker-0");
  const spec = broker((pool) => {
    pool.generations = [1, 0, 0];
  });
  expect(resourcesOf(spec, deployed, "broker-0").get("terraform_data.broker-0-0")).not.toHaveProperty(
    "lifecycle",
  );
});

test("refuses to replace machines that have not left, where a growth was cut off and leave is gone", () => {
  const spec = broker((pool) => {
    pool.images[0] = "ami-0bbb";
    pool.hosts = [4, 3, 3];
  });
  expect(refusal(spec, cutWhileGrowing(standing), "broker-0")).toMatchInlineSnapshot(
    `"leave-hook-runs: broker-0 has no leave in the state, so these hosts would go before their work has left: broker-0-0 (ami-0aaa), broker-0-1 (ami-0aaa), broker-0-2 (ami-0aaa); make its leave anew and go on with: rollout deploy broker-0"`,
  );
});

test("a growth that was cut off goes on, or back to the old number", () => {
  for (const hosts of [3, 4, 5]) {
    const spec = broker((pool) => {
      pool.hosts = [hosts, 3, 3];
    });
    const view = resourcesOf(spec, cutWhileGrowing(standing), "broker-0");
    expect(view.has(`terraform_data.broker-0-${String(hosts - 1)}`)).toBe(true);
    expect(view.get("terraform_data.broker-0-0")).toMatchObject({ lifecycle: { prevent_destroy: true } });
  }
});

test("refuses a third image where machines of the second are at work already and leave is gone", () => {
  const cut = cutAfterLeave(local, standing, "broker-0");
  const hosts = groupIn(cut, "broker-0").hosts.map((host) =>
    host.number === 0
      ? {
          ...host,
          id: "i-new",
          image: "ami-0bbb",
          hash: "1556e11189",
          configConsul: { host: "i-new", servers: "any" },
        }
      : host,
  );
  const spec = broker(({ images }) => {
    images[0] = "ami-0ccc";
  });
  expect(refusal(spec, withGroup(cut, "broker-0", { hosts }), "broker-0")).toMatchInlineSnapshot(
    `"leave-hook-runs: broker-0 has no leave in the state, so these hosts would go before their work has left: broker-0-0 (ami-0bbb); make its leave anew and go on with: rollout deploy broker-0"`,
  );
});

test("refuses to move a group with data volumes to another subnet", () => {
  const aws = exampleSpec();
  const spec = change(aws, (edited) => {
    if (edited.platform === "aws") edited.aws.subnetIds[2] = "subnet-0d1";
  });
  expect(refusal(spec, deployedAs(aws), "cluster")).toMatchInlineSnapshot(
    `"data-volume-kept: broker-2 has data volumes and cannot move to another subnet: subnet-0c1 -> subnet-0d1; set aws.subnetIds[2] back to subnet-0c1"`,
  );
});

test("moves a group without data volumes to another subnet when it is rolled", () => {
  const aws = change(exampleSpec(), (edited) => {
    edited.pools = withoutPool(edited, "broker");
  });
  const spec = change(aws, (edited) => {
    if (edited.platform === "aws") edited.aws.subnetIds[2] = "subnet-0d1";
    poolOf(edited, "name-server").images[2] = "ami-0bbb";
  });
  const view = resourcesOf(spec, deployedAs(aws), "name-server-2");
  expect(view.get("aws_instance.name-server-2-0")).toMatchObject({ subnet_id: "subnet-0d1" });
  expect(view.get("aws_instance.nomad-server-2-0")).toMatchObject({ subnet_id: "subnet-0c1" });
});

test("refuses a data volume that gets smaller", () => {
  const spec = broker(({ dataVolumes }) => {
    if (dataVolumes) dataVolumes[0].sizeGib = 50;
  });
  expect(refusal(spec, standing, "broker-0")).toMatchInlineSnapshot(
    `"data-volume-kept: data volumes cannot be made smaller: terraform_data.broker-0-0-data (100 -> 50 GiB), terraform_data.broker-0-1-data (100 -> 50 GiB), terraform_data.broker-0-2-data (100 -> 50 GiB); give dataVolumes in cluster.yaml at least the size that is deployed"`,
  );
});

test("refuses every view where a machine's data volume was taken out of the state", () => {
  const { volumes } = groupIn(standing, "broker-0");
  const without = withGroup(standing, "broker-0", { volumes: volumes.filter(({ host }) => host !== 1) });
  const forgotten = withoutAddresses(without, "terraform_data.broker-0-1-data");
  const attachment = "terraform_data.broker-0-1-data-attachment";
  // One cause, one violation: neither "would be destroyed" nor "in flight, finish it first" would lead anywhere.
  for (const view of ["broker-0", "broker-1", "cluster"]) {
    for (const deployed of [forgotten, withoutAddresses(forgotten, attachment)]) {
      expect(refusal(local, deployed, view)).toBe(
        `data-volume-kept: machines have data volumes that the state does not hold: terraform_data.broker-0-1-data; take each back with: terraform -chdir=cdktf.out/demo/${view} import ADDRESS ID; or restore the state from its backup; where one is lost for good, end its machine, too, and both are made anew`,
      );
    }
  }
});

test("refuses another group, too, where the one that lost a volume is in flight for more than that", () => {
  const { volumes } = groupIn(standing, "broker-0");
  const lost = withGroup(standing, "broker-0", {
    volumes: volumes.filter(({ host }) => host !== 1),
    leave: false,
  });
  const forgotten = withoutAddresses(lost, "terraform_data.broker-0-1-data");
  expect(refusal(local, forgotten, "broker-1")).toContain(
    "group-in-flight: broker-1 cannot be rolled while broker-0 is in flight: ",
  );
});

test.each(["broker-0-revision", "broker-0-0-data"])("refuses to roll with a tainted %s", (name) => {
  const tainted = withGroup(standing, "broker-0", { tainted: [`terraform_data.${name}`] });
  expect(refusal(local, tainted, "broker-0")).toBe(
    `tainted-replacement: terraform_data.${name} is tainted, so it would be replaced, and it is never destroyed; run: terraform -chdir=cdktf.out/demo/broker-0 untaint terraform_data.${name}`,
  );
});

test("refuses to replace tainted machines whose leave would not run", () => {
  const tainted = withGroup(standing, "broker-0", {
    tainted: ["terraform_data.broker-0-1", "terraform_data.broker-0-2"],
  });
  expect(refusal(local, tainted, "broker-0")).toMatchInlineSnapshot(
    `"leave-hook-runs: tainted hosts of broker-0 would be replaced, and no hook would make their work leave: terraform_data.broker-0-1, terraform_data.broker-0-2; run: terraform -chdir=cdktf.out/demo/broker-0 untaint terraform_data.broker-0-1; run: terraform -chdir=cdktf.out/demo/broker-0 untaint terraform_data.broker-0-2; then raise generations[0] of pool broker to replace the group whole"`,
  );
});

test("replaces tainted machines with their group, whose leave runs then", () => {
  const tainted = withGroup(standing, "broker-0", { tainted: ["terraform_data.broker-0-1"] });
  const spec = broker(({ images }) => {
    images[0] = "ami-0bbb";
  });
  expect(resourcesOf(spec, tainted, "broker-0").size).toBeGreaterThan(0);
});

test("a queue of groups has a view for each, and each leaves the others alone", () => {
  const spec = queued(
    broker((pool) => {
      pool.images = ["ami-0bbb", "ami-0ccc", "ami-0ddd"];
      pool.hosts = [3, 4, 2];
    }),
  );
  const images = (view: string): unknown[] =>
    [0, 1, 2].map((index) => {
      const host = resourcesOf(spec, standing, view).get(`terraform_data.broker-${String(index)}-0`);
      return (host?.["input"] as { image?: string }).image;
    });
  expect(images("broker-0")).toEqual(["ami-0bbb", "ami-0aaa", "ami-0aaa"]);
  expect(images("broker-1")).toEqual(["ami-0aaa", "ami-0ccc", "ami-0aaa"]);
  expect(images("cluster")).toEqual(["ami-0aaa", "ami-0aaa", "ami-0aaa"]);
});

/** broker-0 was to have one host more, which was made and could not be told of Consul: `leave` and `ready` are gone. */
function cutWhileGrowing(deployed: Deployed): Deployed {
  const { ready, ...group } = groupIn(deployed, "broker-0");
  const [first] = group.hosts;
  if (!ready || !first) throw new Error("broker-0 does not stand");
  const { configConsul, ...host } = { ...first, number: 3, name: "broker-0-3", id: "i-broker-0-3" };
  if (!configConsul) throw new Error("broker-0-0 was told of nothing");
  const grown = { ...group, hosts: [...group.hosts, host], leave: false };
  const without = withoutAddresses(
    deployed,
    "terraform_data.broker-0-leave",
    "terraform_data.broker-0-ready",
  );
  return {
    ...without,
    groups: new Map(deployed.groups).set("broker-0", grown),
    addresses: new Set([...without.addresses, "terraform_data.broker-0-3"]),
  };
}
