import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import { describeReal } from "../support/environment.js";
import { ask } from "./ask.js";
import { testCloud } from "./cloud.js";
import { DemoCluster } from "./demo-cluster.js";
import { Fleet } from "./fleet.js";
import { Report } from "./report.js";
import { Scenario } from "./scenario.js";
import { until } from "./until.js";

describeReal(
  "A cluster of real machines, one test after another",
  ["terraform", "aws", "null", "moto", "consul", "nomad", "sshd", "fleet"],
  (real) => {
    let fleet: Fleet;
    let cluster: DemoCluster;
    const report = new Report();

    beforeAll(async () => {
      fleet = await Fleet.start();
      cluster = await DemoCluster.prepare(fleet, real);
    });

    afterEach(async () => {
      await report.keep(fleet);
    });

    afterAll(async () => {
      await report.write(real);
      await fleet.stop();
      await cluster.workspace.remove();
      expect(fleet.failures).toEqual([]);
    });

    /** Rolls a group to an image while requests and writes go on. */
    const roll = async (name: string, group: string, image: string) => {
      const row = await new Scenario(cluster, name).count(async () => {
        await cluster.workspace.rollout(["set", "image", `${group}=${image}`]);
        const { exitCode, output } = await cluster.roll(group);
        expect({ exitCode, output: exitCode === 0 ? "" : output }).toEqual({ exitCode: 0, output: "" });
      });
      report.add(row);
      expect(row).toMatchObject({ failed: 0, lost: 0, movedTwice: 0 });
    };

    /** The group of the leader, or of a server that does not lead. */
    const serverGroup = async (pool: "consul-server" | "nomad-server", leads: boolean) => {
      const [port, token] = pool === "consul-server" ? [8500, "consul" as const] : [4646, "nomad" as const];
      const [some] = fleet.machines(new RegExp(pool));
      if (some === undefined) throw new Error(`no machine is up of ${pool}`);
      const leader = await ask(some, "GET", `:${String(port)}/v1/status/leader`, cluster.tokens[token]);
      const found = fleet
        .machines(new RegExp(pool))
        .find(({ props }) => (String(leader).split(":")[0] === props.address) === leads);
      return found?.props.host.replace(/-0$/, "") ?? "";
    };

    test("is created from nothing, with ACLs", async () => {
      const begun = performance.now();
      const { exitCode, output } = await cluster.create();
      expect({ exitCode, output: exitCode === 0 ? "" : output }).toEqual({ exitCode: 0, output: "" });
      report.add({
        scenario: "create from nothing, with ACLs",
        seconds: Math.round((performance.now() - begun) / 1000),
      });
    });

    test("runs work that Consul finds healthy", async () => {
      await cluster.runJobs();
      for (const [job, count] of [
        ["web", 2],
        ["broker", 3],
      ] as const)
        await until(`${job} is healthy`, async () => {
          const url = `:8500/v1/health/service/${job}?passing`;
          const found = await ask(fleet.machine("web-0-0"), "GET", url, cluster.tokens.consul);
          return (found as unknown[]).length === count;
        });
    });

    test("rolls a group of clients", () => roll("client group", "web-0", "ami-0a02"));

    test("rolls a group with a data volume and a load balancer, and what was on the volume is there", async () => {
      await fleet.machine("broker-0-0").run(["sh", "-c", "echo kept > /srv/data/file"]);
      await roll("group with data volume and load balancer", "broker-0", "ami-0e02");
      expect(await fleet.machine("broker-0-0").run(["cat", "/srv/data/file"])).toBe("kept");
    });

    test("rolls a Consul server that does not lead", async () => {
      await roll("follower of Consul", await serverGroup("consul-server", false), "ami-0a02");
    });

    test("rolls the leader of Consul", async () => {
      await roll("leader of Consul", await serverGroup("consul-server", true), "ami-0a03");
    });

    test("rolls a Nomad server that does not lead", async () => {
      await roll("follower of Nomad", await serverGroup("nomad-server", false), "ami-0a02");
    });

    test("rolls the leader of Nomad", async () => {
      await roll("leader of Nomad", await serverGroup("nomad-server", true), "ami-0a03");
    });

    test("takes a group of clients back to the image before", async () => {
      const row = await new Scenario(cluster, "undo of a client group").count(async () => {
        await cluster.workspace.rollout(["undo", "web-0"]);
        const { exitCode, output } = await cluster.roll("web-0");
        expect({ exitCode, output: exitCode === 0 ? "" : output }).toEqual({ exitCode: 0, output: "" });
      });
      report.add(row);
      expect(row).toMatchObject({ failed: 0, lost: 0, movedTwice: 0 });
    });

    testCloud({ fleet: () => fleet, cluster: () => cluster, report });
  },
);
