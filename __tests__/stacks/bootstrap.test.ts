import { describe, expect, test } from "@jest/globals";
import { parseAddress } from "../../cluster/address.js";
import {
  change,
  deployedAs,
  localSpec,
  nothing,
  poolOf,
  resourcesOf,
  smallSpec,
  withGroup,
  withoutAddresses,
  type Resources,
} from "../support/fixtures.js";

const local = localSpec();

describe("the first creation of a cluster", () => {
  const view = resourcesOf(local, nothing(), "cluster");
  const after = (name: string): unknown => view.get(`terraform_data.${name}`)?.["depends_on"];
  const ready = (pool: string): string[] =>
    [0, 1, 2].map((index) => `terraform_data.${pool}-${String(index)}-ready`);

  test("makes Consul servers at once", () => {
    expect(after("consul-server-1-0")).toBeUndefined();
  });

  test("makes Nomad servers once Consul is ready", () => {
    expect(after("nomad-server-2-0")).toEqual(ready("consul-server"));
  });

  test("makes clients once both are ready", () => {
    expect(after("broker-0-2")).toEqual([...ready("consul-server"), ...ready("nomad-server")]);
  });

  test("tells every machine of all three Consul servers", () => {
    const hooks = [...view].filter(([address]) => parseAddress(address)?.kind === "config-consul");
    expect(hooks).toHaveLength(18);
    const servers = [0, 1, 2].map((index) => `\${terraform_data.consul-server-${String(index)}-0.id}`).join();
    expect(
      new Set(hooks.map(([, body]) => (body["triggers_replace"] as { servers: string }).servers)),
    ).toEqual(new Set([servers]));
  });

  test("freezes nothing, and keeps data, history and shared parts from being destroyed", () => {
    const kept = [...view].filter(([, body]) => "lifecycle" in body);
    const life = kept.map(([, body]) => Object.entries(body["lifecycle"] as object));
    expect(
      new Set(life.flat().map(([key, value]) => (key === "precondition" ? key : `${key} ${String(value)}`))),
    ).toEqual(new Set(["prevent_destroy true", "precondition"]));
    const kinds = kept.map(([address]) => parseAddress(address)?.kind ?? address);
    expect([...new Set(kinds)].sort()).toEqual(["data", "revision", "terraform_data.broker-load-balancer"]);
  });

  test("begins every history with revision 1", () => {
    for (const [address, body] of view) {
      if (parseAddress(address)?.kind !== "revision") continue;
      expect(body).toMatchObject({ input: { revisions: [{ number: 1, cause: "a1b2c3d roll broker-0" }] } });
    }
  });

  test("asks no more edges of a cluster of ten times the hosts than ten times as many", () => {
    const edges = (hosts: number): number => {
      const spec = change(local, (edited) => {
        poolOf(edited, "broker").hosts = [hosts, hosts, hosts];
      });
      return edgesOf(resourcesOf(spec, nothing(), "cluster"));
    };
    const [one, five, fifty] = [edges(1), edges(5), edges(50)];
    expect((fifty - five) / 45).toBe((five - one) / 4);
  });
});

test("a Consul group has its revision once every machine of the others is told, an edge for each", () => {
  const spec = change(smallSpec(), (edited) => {
    poolOf(edited, "consul-server").images[1] = "v2";
    poolOf(edited, "broker").hosts = [20, 20, 20];
  });
  const before = change(smallSpec(), (edited) => {
    poolOf(edited, "broker").hosts = [20, 20, 20];
  });
  const view = resourcesOf(spec, deployedAs(before), "consul-server-1");
  const waits = (group: string): string[] =>
    (view.get(`terraform_data.${group}-revision`)?.["depends_on"] as string[]).filter((address) =>
      address.endsWith("config-consul"),
    );
  expect(waits("consul-server-1")).toHaveLength(60 + 5);
  expect(waits("consul-server-0")).toEqual([]);
  expect(waits("broker-1")).toEqual([]);
});

describe("a creation that was cut off", () => {
  const standing = deployedAs(local);

  test("goes on: what stands is frozen, what is new waits for what is new", () => {
    const half = ["broker-0", "broker-1", "broker-2", "nomad-server-2"].reduce(
      (deployed, group) =>
        withoutAddresses(withGroup(deployed, group, { revisions: [] }), `terraform_data.${group}-revision`),
      standing,
    );
    const view = resourcesOf(local, half, "cluster");
    expect(view.get("terraform_data.broker-1-0")).toMatchObject({
      depends_on: ["terraform_data.nomad-server-2-ready"],
    });
    expect(view.get("terraform_data.broker-1-0")).not.toHaveProperty("lifecycle");
    expect(view.get("terraform_data.nomad-server-1-0")).toHaveProperty("lifecycle.prevent_destroy", true);
    expect(view.get("terraform_data.nomad-server-1-0-config-consul")).toHaveProperty(
      "lifecycle.ignore_changes",
      "all",
    );
  });

  test("tells machines that stand of a Consul server that comes later", () => {
    const half = withoutAddresses(
      withGroup(standing, "consul-server-2", { revisions: [], hosts: [] }),
      ...[...standing.addresses].filter((address) => address.includes(".consul-server-2-")),
      "terraform_data.broker-1-0-config-consul",
    );
    const view = resourcesOf(local, half, "cluster");
    for (const host of ["broker-1-0", "broker-1-1", "consul-server-0-0"]) {
      expect(view.get(`terraform_data.${host}-config-consul`)).not.toHaveProperty("lifecycle");
    }
    expect(view.get("terraform_data.broker-1-0")).toHaveProperty("lifecycle.ignore_changes", "all");
  });
});

/** How often resources refer to each other, in `depends_on` and in values. */
function edgesOf(view: Resources): number {
  return [...view.values()].reduce((sum, body) => {
    const named = JSON.stringify(body["depends_on"] ?? []).match(/terraform_data\./g) ?? [];
    const referred = JSON.stringify(body).match(/\$\{terraform_data\./g) ?? [];
    return sum + named.length + referred.length;
  }, 0);
}
