import { expect, jest, test } from "@jest/globals";
import type { Outcome } from "../deploy/workspace.js";
import { ask } from "./ask.js";
import type { DemoCluster } from "./demo-cluster.js";
import type { Report } from "./report.js";
import { Scenario } from "./scenario.js";
import { until } from "./until.js";

/** The scenarios that a cluster is rolled through wherever it stands, one after another. The first two make what the others roll. */
export function coreScenarios(here: () => { readonly cluster: DemoCluster; readonly report: Report }): void {
  // What does not come to an end is told by the product, which waits for 15 minutes.
  jest.setTimeout(30 * 60_000);

  /** Does something while requests and writes go on, none of which may fail for good. */
  const count = async (name: string, act: () => Promise<Outcome>) => {
    const { cluster, report } = here();
    const row = await new Scenario(cluster, name).count(async () => {
      expectSuccess(await act());
    });
    report.add(row);
    expect(row).toMatchObject({ failures: [], lost: 0, movedTwice: 0 });
  };

  /** Rolls a group to the other version of its image. */
  const roll = async (name: string, group: string) => {
    const { cluster } = here();
    const image = await cluster.otherImage(group);
    await count(name, async () => {
      await cluster.workspace.rollout(["set", "image", `${group}=${image}`]);
      return cluster.roll(group);
    });
    expect(await cluster.deployedImage(group)).toBe(image);
  };

  test("is created from nothing, with ACLs", async () => {
    const { cluster, report } = here();
    const begun = performance.now();
    expectSuccess(await cluster.create());
    report.add({
      scenario: "create from nothing, with ACLs",
      seconds: Math.round((performance.now() - begun) / 1000),
    });
  });

  test("runs work that Consul finds healthy", async () => {
    const { cluster } = here();
    await cluster.runJobs();
    for (const [job, count] of [
      ["web", 2],
      ["broker", 3],
    ] as const)
      await until(`${job} is healthy`, async () => {
        const url = `:8500/v1/health/service/${job}?passing`;
        const found = await ask(cluster.fleet.machine("web-0-0"), "GET", url, cluster.tokens.consul);
        return (found as unknown[]).length === count;
      });
  });

  test("rolls a group of clients", () => roll("client group", "web-0"));

  test("rolls a group with a data volume and a load balancer, and what was on the volume is there", async () => {
    const { cluster } = here();
    // By the work that serves the volume: who comes by ssh may not write there.
    const read = () =>
      cluster.fleet.machine("broker-0-0").run(["curl", "-sS", "--fail", "http://127.0.0.1:9876/file"]);
    await cluster.writeToVolume("broker-0-0", "kept");
    expect(await until("the file is there", read)).toBe("kept");
    await roll("group with data volume and load balancer", "broker-0");
    expect(await read()).toBe("kept");
  });

  test("rolls a Consul server that does not lead", async () =>
    roll("follower of Consul", await here().cluster.serverGroup("consul-server", false)));

  test("rolls the leader of Consul", async () =>
    roll("leader of Consul", await here().cluster.serverGroup("consul-server", true)));

  test("rolls a Nomad server that does not lead", async () =>
    roll("follower of Nomad", await here().cluster.serverGroup("nomad-server", false)));

  test("rolls the leader of Nomad", async () =>
    roll("leader of Nomad", await here().cluster.serverGroup("nomad-server", true)));

  test("takes a group of clients back to the image before", async () => {
    const { cluster } = here();
    const before = await cluster.otherImage("web-0");
    await count("undo of a client group", async () => {
      await cluster.workspace.rollout(["undo", "web-0"]);
      return cluster.roll("web-0");
    });
    expect(await cluster.deployedImage("web-0")).toBe(before);
  });
}

function expectSuccess({ exitCode, output }: Outcome): void {
  expect({ exitCode, output: exitCode === 0 ? "" : output }).toEqual({ exitCode: 0, output: "" });
}
