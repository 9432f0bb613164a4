import { describe, expect, test } from "@jest/globals";
import { countedPending } from "../../cluster/pending.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import {
  change,
  deployedAs,
  exampleSpec,
  groupIn,
  localSpec,
  nothing,
  poolOf,
  refusal,
  resourcesOf,
  withGroup,
} from "../support/fixtures.js";

const three = localSpec();
const five = withServers(three, [2, 2, 1]);
const POOL = [0, 1].flatMap((host) =>
  [0, 1].map((group) => `consul-server-${String(group)}-${String(host)}`),
);
const ALL = [...POOL, "consul-server-2-0"].sort();
const FROZEN = { prevent_destroy: true, ignore_changes: "all" };

describe("the view of a group of two Consul servers, of which one waits", () => {
  const spec = change(five, ({ pools }) => {
    pools["consul-server"].images[0] = "ami-0bbb";
  });
  const view = resourcesOf(spec, deployedAs(five), "consul-server-0", undefined, ["consul-server-0-0"]);

  test("has one as desired and the other frozen, and every machine is told of all five", () => {
    expect(view.get("terraform_data.consul-server-0-1")).toMatchObject({ input: { image: "ami-0bbb" } });
    expect(view.get("terraform_data.consul-server-0-1")).not.toHaveProperty("lifecycle");
    expect(view.get("terraform_data.consul-server-0-0")).toMatchObject({
      input: { image: "ami-0aaa" },
      lifecycle: FROZEN,
    });
    const told = [...view].filter(([address]) => address.endsWith("-config-consul"));
    expect(told.length).toBeGreaterThan(10);
    for (const [, resource] of told)
      expect(resource).toMatchObject({
        triggers_replace: { servers: ALL.map((host) => `\${terraform_data.${host}.id}`).join(",") },
        lifecycle: { replace_triggered_by: expect.arrayContaining(["terraform_data.consul-server-0-1.id"]) },
      });
  });

  test("refuses to let the one wait that is new already", () => {
    const standing = deployedAs(five);
    const { hash = "" } = deployedAs(spec).groups.get("consul-server-0")?.hosts[0] ?? {};
    const [zero, one] = groupIn(standing, "consul-server-0").hosts;
    const half = withGroup(standing, "consul-server-0", {
      hosts: [zero, one && { ...one, hash, image: "ami-0bbb" }].flatMap((host) => host ?? []),
    });
    expect(refusal(spec, half, "consul-server-0", undefined, ["consul-server-0-1"])).toMatch(
      /^one-batch: hosts of consul-server-0 cannot wait for a later batch, .*: consul-server-0-1;/,
    );
  });
});

describe("from three servers to five and back", () => {
  test.each([
    ["more", five, three],
    ["fewer", three, five],
  ])("%s are one change, of one view a group", (_, spec, before) => {
    const standing = deployedAs(before);
    expect(countedPending(spec, standing).map(({ name }) => name)).toEqual(["consul-server-0"]);
    for (const name of ["consul-server-0", "consul-server-1"]) {
      const view = resourcesOf(spec, standing, name);
      expect(view.get(`terraform_data.${name}-0`)).toMatchObject({ lifecycle: FROZEN });
      expect(view.get("terraform_data.consul-server-2-0")).toMatchObject({ lifecycle: FROZEN });
      // Every machine is told, be it of one more or of one less.
      expect(view.get("terraform_data.broker-0-0-config-consul")).toMatchObject({
        triggers_replace: { consul: "1" },
      });
    }
  });

  test("refuses another change of the pool beside it", () => {
    const spec = change(five, ({ pools }) => {
      pools["consul-server"].images[1] = "ami-0bbb";
    });
    expect(refusal(spec, deployedAs(three), "consul-server-0")).toMatchInlineSnapshot(
      `"one-group: 2 groups are pending, one may be: consul-server-0 (1 -> 2 hosts), consul-server-1 (ami-0aaa -> ami-0bbb, 1 -> 2 hosts); set all but one back, or set rollout.pendingGroups: queue to roll them one after another"`,
    );
  });
});

describe("on aws", () => {
  const aws = exampleSpec();
  const dataOf = (spec: Spec, standing: ReturnType<typeof deployedAs>, view: string) =>
    Object.fromEntries(
      [...resourcesOf(spec, standing, view)].flatMap(([address, { user_data: text }]) => {
        const host = /^aws_instance\.((?:consul|nomad)-server-\d-\d)$/.exec(address)?.[1];
        return host === undefined ? [] : [[host, /ROLLOUT_SERVERS=(\d+)/.exec(String(text))?.[1] ?? "three"]];
      }),
    );

  test("new servers are told how many form the cluster, where it is not three", () => {
    const created = dataOf(withServers(aws, [2, 2, 1]), nothing(), "cluster");
    expect(created).toMatchObject({
      ...Object.fromEntries(ALL.map((host) => [host, "5"])),
      "nomad-server-0-0": "three",
    });
    expect(Object.keys(created)).toHaveLength(8);
  });

  test("one that stands keeps what it was told, and only a new one is told anew", () => {
    const standing = deployedAs(aws);
    const { hosts } = groupIn(standing, "consul-server-0");
    const told = withGroup(standing, "consul-server-0", {
      hosts: hosts.map((host) => ({ ...host, userData: "#cloud-config\n" })),
    });
    expect(dataOf(withServers(aws, [2, 2, 1]), told, "consul-server-0")).toMatchObject({
      "consul-server-0-0": "three",
      "consul-server-0-1": "5",
    });
    const five = "write_files:\n      ROLLOUT_SERVERS=5\n";
    const ofFive = withGroup(standing, "consul-server-1", {
      hosts: groupIn(standing, "consul-server-1").hosts.map((host) => ({ ...host, userData: five })),
    });
    expect(dataOf(aws, ofFive, "cluster")).toMatchObject({ "consul-server-1-0": "5" });
  });
});

function withServers(before: Spec, hosts: [number, number, number]): Spec {
  return change(before, (spec) => {
    poolOf(spec, "consul-server").hosts = hosts;
  });
}
