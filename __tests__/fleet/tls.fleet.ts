import { afterAll, afterEach, beforeAll, expect, jest, test } from "@jest/globals";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { exampleWith } from "../cluster/yaml/example.js";
import { Workspace } from "../deploy/workspace.js";
import { describeReal } from "../support/environment.js";
import { ask } from "./ask.js";
import { jobOf } from "./demo-cluster.js";
import { FirstDeploy } from "./first-deploy.js";
import { Fleet } from "./fleet.js";
import { Report } from "./report.js";
import { Scenario } from "./scenario.js";
import { until } from "./until.js";

const NOMAD = "https://127.0.0.1:4646";

describeReal(
  "A cluster with mutual TLS, made as the page on the first deploy says, one test after another",
  ["terraform", "aws", "null", "moto", "consul", "nomad", "sshd", "fleet"],
  (real) => {
    let fleet: Fleet;
    let workspace: Workspace;
    let page: FirstDeploy;
    let env: Readonly<Record<string, string>>;
    const report = new Report("tls");
    // What does not come to an end is told by the product, which waits for 15 minutes.
    jest.setTimeout(30 * 60_000);

    beforeAll(async () => {
      fleet = await Fleet.start();
      const { vpcId, subnetIds } = await fleet.moto.ec2.createNetwork();
      await fleet.moto.ec2.createInstanceProfile("demo-agents");
      await fleet.moto.ec2.createKeyPair("ops");
      const spec = specIn(vpcId, subnetIds, await fleet.openToRunner(vpcId));
      const ROLLOUT_SSH_CONFIG = await fleet.sshConfig("/srv");
      workspace = await Workspace.create(real, spec, { ...fleet.env, ROLLOUT_SSH_CONFIG });
      page = await FirstDeploy.in(workspace.folder, { ...fleet.env, ROLLOUT_SSH_CONFIG });
    });

    afterEach(async () => {
      await report.keep(fleet);
    });

    afterAll(async () => {
      await report.write(["TLS", await workspace.terraformVersion()]);
      await fleet.stop();
      await workspace.remove();
      expect(fleet.failures).toEqual([]);
    });

    const token = (name: string): Promise<string> =>
      readFile(join(page.folder, "demo-secrets", name), "utf8").then((text) => text.trim());

    const roll = async (name: string, group: string, image: string) => {
      const tokens = { consul: await token("consul-management"), nomad: await token("nomad-management") };
      const row = await new Scenario({ fleet, tokens, nomad: NOMAD }, name).count(async () => {
        await workspace.rollout(["set", "image", `${group}=${image}`]);
        const { exitCode, output } = await workspace.rollout(
          ["deploy", group, "--yes", "--confirm", group],
          env,
        );
        expect({ exitCode, output: exitCode === 0 ? "" : output }).toEqual({ exitCode: 0, output: "" });
      });
      report.add(row);
      expect(row).toMatchObject({ failures: [], lost: 0, movedTwice: 0 });
      const { phase, groups } = await workspace.status(env);
      expect(phase).toBe("healthy");
      expect(groups.find((each) => each.name === group)?.image.deployed).toBe(image);
    };

    test("is created by the page's commands", async () => {
      const begun = performance.now();
      await page.run("1");
      await page.run("2");
      await fleet.putSecret("/rollout/demo/nomad-client/nomad/work.json", {
        plugin: [{ raw_exec: [{ config: [{ enabled: true }] }] }],
      });
      env = await page.variables();
      const deployed = workspace.deploy("cluster", env);
      const meanwhile = async (): Promise<void> => {
        await page.meanwhile("4", await reachable("consul-server-0-0"));
        await page.meanwhile("5", await reachable("nomad-server-0-0"));
      };
      await Promise.race([meanwhile(), deployed]);
      const { exitCode, output } = await deployed;
      expect({ exitCode, output: exitCode === 0 ? "" : output }).toEqual({ exitCode: 0, output: "" });
      await page.run("6");
      report.add({
        scenario: "create from nothing, with mutual TLS",
        seconds: Math.round((performance.now() - begun) / 1000),
      });
    });

    test("answers at its APIs only who has a certificate", async () => {
      const machine = fleet.machine("web-0-0");
      const knock = (url: string, agent: string, ...more: readonly string[]): Promise<string> =>
        machine
          .run(["curl", "--silent", "--fail", "--cacert", `/run/rollout/${agent}/ca.pem`, ...more, url])
          .then(
            () => "answers",
            () => "refuses",
          );
      for (const [agent, api] of [
        ["consul", "https://127.0.0.1:8501"],
        ["nomad", NOMAD],
      ] as const) {
        const own = ["--cert", `/run/rollout/${agent}/cert.pem`, "--key", `/run/rollout/${agent}/key.pem`];
        expect(await knock(`${api}/v1/status/leader`, agent)).toBe("refuses");
        expect(await knock(`${api}/v1/status/leader`, agent, ...own)).toBe("answers");
      }
    });

    test("rolls a group of clients", async () => {
      const nomad = await token("nomad-management");
      await ask(fleet.machine("nomad-server-0-0"), "PUT", `${NOMAD}/v1/jobs`, nomad, {
        Job: jobOf("web", 8080, 2),
      });
      const consul = await token("consul-management");
      await until("web is healthy", async () => {
        const url = ":8500/v1/health/service/web?passing";
        return ((await ask(fleet.machine("web-0-0"), "GET", url, consul)) as unknown[]).length === 2;
      });
      await roll("client group, with mutual TLS", "web-0", "ami-0a02");
    });

    test("rolls a Consul server", () =>
      roll("Consul server, with mutual TLS", "consul-server-0", "ami-0a02"));

    /** The address of a machine that ssh reaches. */
    const reachable = (host: string): Promise<string> =>
      until(`ssh reaches ${host}`, async () => {
        const { address } = fleet.machine(host).props;
        await page.bash(`ssh -oBatchMode=yes ${address} true`);
        return address;
      });
  },
);

/** Two kinds of servers and web. */
function specIn(vpcId: string, subnetIds: readonly string[], runner: string): string {
  const whole = exampleWith(
    ["vpc-0a1", vpcId],
    ["subnet-0a1, subnet-0b1, subnet-0c1", subnetIds.join(", ")],
    [
      "instanceProfile: demo-agents",
      `instanceProfile: demo-agents\n  securityGroupIds: [${runner}]\n  providerVersion: 5.100.0`,
    ],
    ["  name-server:", "  web:"],
  )
    .replaceAll("ami-0aaa", "ami-0a01")
    .replace(
      /^ {4}images: .*$/gm,
      "$&\n    rootVolumes: [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }]\n    ready: { timeout: 15m }\n    bake: { time: 5s, first: 5s }",
    );
  return `${whole.slice(0, whole.indexOf("  broker:\n"))}${whole.slice(whole.indexOf("rollout: {"))}`;
}
