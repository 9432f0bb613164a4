import { describe, expect, test } from "@jest/globals";
import type { Spec } from "../../cluster/yaml/schema.js";
import {
  change,
  deployedAs,
  exampleSpec,
  groupIn,
  localSpec,
  nothing,
  poolOf,
  proposalOf,
  resourcesOf,
  revisionsOf,
  withGroup,
  withoutAddresses,
  type Resources,
} from "../support/fixtures.js";

const local = localSpec();
const standing = deployedAs(local);

describe("a group that a view is not for", () => {
  const aws = exampleSpec();
  const awsStanding = deployedAs(aws);
  const changed = change(aws, (spec) => {
    spec.rollout.pendingGroups = "queue";
    poolOf(spec, "broker").images = ["ami-0bbb", "ami-0bbb", "ami-0aaa"];
  });
  /** All that shapes the machines of broker-1 is otherwise. */
  const changedMore = change(changed, (spec) => {
    const broker = poolOf(spec, "broker");
    broker.images[1] = "ami-0ccc";
    broker.instanceTypes[1] = "m7i.large";
    broker.hosts = [3, 7, 3];
    broker.generations = [0, 4, 0];
    if (broker.dataVolumes) broker.dataVolumes[1] = { sizeGib: 500, type: "st1" };
    broker.rootVolumes = [{ sizeGib: 20 }, { sizeGib: 30 }, { sizeGib: 40 }];
  });

  test("comes from what is deployed, byte for byte, whatever the spec says of it", () => {
    const before = textOf(resourcesOf(changed, awsStanding, "broker-0"), "broker-1-");
    expect(textOf(resourcesOf(changedMore, awsStanding, "broker-0"), "broker-1-")).toBe(before);
    expect(textOf(resourcesOf(aws, awsStanding, "broker-0"), "broker-1-")).toBe(before);
    expect(before).toContain("ami-0aaa");
    expect(before.length).toBeGreaterThan(5_000);
  });

  test("is the same in every view that is not for it, but for its own path", () => {
    const [own, other] = ["broker-0", "name-server-2"].map((view) =>
      textOf(resourcesOf(changed, awsStanding, view), "broker-1-").replaceAll(`"${view}/`, '"'),
    );
    expect(own).toBe(other);
  });

  test("keeps its last revisions and its history", () => {
    const view = resourcesOf(changedMore, awsStanding, "broker-0");
    expect(view.get("terraform_data.broker-1-revision")).toMatchObject({
      input: { revisions: [{ number: 1, image: "ami-0aaa" }] },
      lifecycle: { prevent_destroy: true, ignore_changes: "all" },
    });
  });
});

test("hosts that the state does not hold are not rendered, in any view but their own", () => {
  const { hosts } = groupIn(standing, "broker-1");
  const lost = withoutAddresses(
    withGroup(standing, "broker-1", { hosts: hosts.filter(({ number }) => number !== 1) }),
    ...[...standing.addresses].filter(
      (address) => /\.broker-1-1(-|$)/.test(address) && !address.endsWith("data"),
    ),
  );
  const cluster = resourcesOf(local, lost, "cluster");
  expect([...cluster.keys()].filter((address) => address.includes("broker-1-1"))).toEqual([
    "terraform_data.broker-1-1-data",
  ]);
  expect(cluster.get("terraform_data.broker-1-ready")).toMatchObject({
    triggers_replace: { hosts: "${terraform_data.broker-1-0.id},${terraform_data.broker-1-2.id}" },
  });
});

test("new groups and new shared parts come by the cluster view and no other", () => {
  const spec = change(local, (edited) => {
    edited.rollout.pendingGroups = "queue";
    poolOf(edited, "broker").images[0] = "ami-0bbb";
    Object.assign(edited.pools, { cache: { ...poolOf(edited, "broker"), images: three("ami-0aaa") } });
  });
  const namesIn = (view: string): string[] =>
    [...resourcesOf(spec, standing, view).keys()].filter((address) => address.includes("cache-"));
  expect(namesIn("broker-0")).toEqual([]);
  expect(namesIn("cluster")).toContain("terraform_data.cache-load-balancer");
  expect(namesIn("cluster").length).toBe(3 * (3 * 5 + 3) + 1);
});

test("of a group whose creation was cut off, other views hold what is there", () => {
  const half = withGroup(standing, "name-server-0", { revisions: [], leave: false });
  const deployed = withoutAddresses(
    half,
    "terraform_data.name-server-0-leave",
    "terraform_data.name-server-0-ready",
    "terraform_data.name-server-0-revision",
  );
  const own = (view: Resources): string[] =>
    [...view.keys()].filter((address) => address.startsWith("terraform_data.name-server-0-")).sort();
  const other = resourcesOf(local, deployed, "broker-0");
  expect(own(other)).toEqual([
    "terraform_data.name-server-0-0",
    "terraform_data.name-server-0-0-config-consul",
  ]);
  expect(other.get("terraform_data.name-server-0-0")).toHaveProperty("lifecycle.prevent_destroy", true);
  const named = proposalOf(local, deployed, "name-server-0").declared.filter(
    ({ group }) => group === "name-server-0",
  );
  expect(named.map(({ preventsDestroy }) => preventsDestroy)).toEqual([true, false]);
  const cluster = resourcesOf(local, deployed, "cluster");
  expect(own(cluster)).toHaveLength(5);
  expect(cluster.get("terraform_data.name-server-0-0")).not.toHaveProperty("lifecycle");
});

describe("the history of a group", () => {
  const past = (count: number): ReturnType<typeof groupIn>["revisions"] =>
    Array.from({ length: count }, (_, index) => ({
      number: index + 3,
      image: "ami-0aaa",
      hash: "9ed2e93399",
      generation: 0,
      cause: `roll ${String(index)}`,
    }));
  const revisionsIn = (spec: Spec, count: number): { number: number }[] => {
    const deployed = withGroup(standing, "broker-0", { revisions: past(count) });
    const view = resourcesOf(spec, deployed, "broker-0");
    return revisionsOf(view, "broker-0") as { number: number }[];
  };
  const rolled = (limit: number): Spec =>
    change(local, (spec) => {
      spec.rollout.revisionHistoryLimit = limit;
      poolOf(spec, "broker").images[0] = "ami-0bbb";
    });

  test("holds as many revisions as the spec says, the newest", () => {
    expect(revisionsIn(rolled(3), 5).map(({ number }) => number)).toEqual([6, 7, 8]);
    expect(revisionsIn(rolled(1), 5).map(({ number }) => number)).toEqual([8]);
    expect(revisionsIn(rolled(10), 2).map(({ number }) => number)).toEqual([3, 4, 5]);
  });

  test("gets no entry where the template is the same", () => {
    expect(revisionsIn(local, 2).map(({ number }) => number)).toEqual([3, 4]);
  });

  test("takes a cause as it is, whatever it looks like to Terraform", () => {
    const revisions = past(1).map((revision) => ({
      ...revision,
      cause: "use ${host} and %{ if } and $${x}",
    }));
    const view = resourcesOf(local, withGroup(standing, "broker-0", { revisions }), "cluster");
    expect(view.get("terraform_data.broker-0-revision")).toMatchObject({
      input: { revisions: [{ cause: "use $${host} and %%{ if } and $$${x}" }] },
    });
  });
});

describe("with protection off", () => {
  const open = change(local, (spec) => {
    spec.protection = "off";
  });

  test("nothing is frozen and no hook runs, so that a teardown goes through", () => {
    const aws = exampleSpec();
    for (const [spec, deployed, size] of [
      [open, standing, 100],
      [open, nothing(), 100],
      [{ ...aws, protection: "off" }, deployedAs(aws), 114],
    ] as const) {
      const bodies = [...resourcesOf(spec, deployed, "cluster").values()];
      expect(bodies).toHaveLength(size);
      expect(bodies.filter((body) => "lifecycle" in body || "provisioner" in body)).toEqual([]);
    }
  });

  test("deployed groups are rendered as they are deployed all the same", () => {
    const spec = change(open, (edited) => {
      poolOf(edited, "broker").images = three("ami-0bbb");
    });
    expect(resourcesOf(spec, standing, "cluster").get("terraform_data.broker-2-0")).toMatchObject({
      input: { image: "ami-0aaa" },
    });
  });
});

const three = <T>(value: T): [T, T, T] => [value, value, value];

/** What is written of a group, as text. */
const textOf = (view: Resources, prefix: string): string =>
  JSON.stringify([...view].filter(([address]) => address.includes(`.${prefix}`)));

test("a pool that retires is made by no view where it is not there, nor is its load balancer", () => {
  const retiring = change(localSpec(), (spec) => {
    poolOf(spec, "broker").retire = "keep-volumes";
  });
  const ofBroker = (deployed: typeof standing, view: string): string[] =>
    [...resourcesOf(retiring, deployed, view).keys()].filter((address) => address.includes(".broker-"));
  expect(ofBroker(nothing(), "cluster")).toEqual([]);
  const { groups, addresses } = standing;
  const partly = {
    ...standing,
    groups: new Map([...groups].filter(([name]) => name !== "broker-2")),
    addresses: new Set([...addresses].filter((address) => !address.includes(".broker-2-"))),
  };
  expect(ofBroker(partly, "cluster").sort()).toEqual(
    [...partly.addresses].filter((address) => address.includes(".broker-")).sort(),
  );
});
