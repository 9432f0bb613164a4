import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { describeReal } from "../support/environment.js";
import { startSimulatedCluster, type SimulatedWorld } from "../support/simulated-cluster.js";
import { specOf } from "../cluster/yaml/example.js";
import { revisionsOf } from "./state-file.js";
import { Workspace } from "./workspace.js";

/** What waits for agents gives up soon. */
const READY = "ready: { timeout: 10s }, bake: { time: 1s }";
const THREE = "instanceTypes: [small, small, small]";

const SERVERS = ["consul-server-0", "consul-server-1", "consul-server-2"];

/** Of more than ten machines: Terraform lists them by their names, in which 10 comes before 2. */
const SPEC = `name: demo
platform: local
local: { agents: none }
backend: { type: local, path: terraform.demo.tfstate }
pools:
  consul-server: { images: [v1, v1, v1], ${THREE}, ${READY} }
  nomad-server: { images: [v1, v1, v1], ${THREE}, ${READY} }
  broker: { images: [v1, v1, v1], ${THREE}, ${READY}, hosts: [11, 1, 1] }
`;

describeReal(
  "A cluster without agents, where the environment names another cluster",
  ["terraform"],
  (real) => {
    let other: SimulatedWorld;
    let demo: Workspace;
    const requests: string[] = [];

    beforeAll(async () => {
      // Its hosts have the same names.
      other = await startSimulatedCluster(specOf(SPEC));
      await other.whole();
      const { cluster } = other.simulator;
      const ask = cluster.ask.bind(cluster);
      cluster.ask = (host, request, done) => {
        requests.push(`${request.method} ${request.path} at ${host}`);
        ask(host, request, done);
      };
      demo = await Workspace.create(real, SPEC, other.env as Record<string, string>);
      await demo.roll("cluster");
    });

    afterAll(async () => {
      await demo.remove();
      await other.close();
    });

    test("is created, rolled and looked after without one request to the other", async () => {
      const group = await demo.rollout([
        "deploy",
        "broker-0",
        "--image",
        "v2",
        "--yes",
        "--confirm",
        "broker-0",
      ]);
      const pool = await demo.rollout(["deploy", "consul-server", "--image", "v2", "--confirm", ...SERVERS]);
      const gc = await demo.rollout(["gc", "--yes", "--system"]);

      expect(requests).toEqual([]);
      expect(group.output).toContain("broker-0: rolled, revision 2");
      expect(group.exitCode).toBe(0);
      expect(pool.exitCode).toBe(0);
      const state = await demo.state();
      expect(revisionsOf(state, "consul-server-2").map(({ image }) => image)).toEqual(["v1", "v2"]);
      expect(gc).toEqual({
        exitCode: 1,
        output:
          "this cluster on platform local has no agents (local.agents: none), so there is nobody to ask",
      });
      // The other does get what is meant for it.
      await fetch(`${other.simulator.url("broker-0-0")}/consul/v1/agent/self`);
      expect(requests).toEqual(["GET /consul/v1/agent/self at broker-0-0"]);
    });

    test("is not destroyed while it is protected, nor where nobody has said its name", async () => {
      const before = await demo.state();
      expect(await demo.rollout(["destroy", "--confirm", "demo"])).toEqual({
        exitCode: 1,
        output:
          "protection of demo is on, so nothing is destroyed; to tear it down for good set protection: off in <folder>/demo.yaml, have that reviewed, and run this again",
      });
      await demo.write(`${SPEC}protection: off\n`);
      await demo.rollout(["pause", "--reason", "holidays"]);
      expect(await demo.rollout(["destroy", "--confirm", "demo"])).toEqual({
        exitCode: 1,
        output: expect.stringMatching(
          /^demo is paused .*holidays.*, so nothing is destroyed; first: rollout resume$/,
        ),
      });
      await demo.rollout(["resume"]);
      expect(await demo.rollout(["destroy"])).toEqual({
        exitCode: 2,
        output: expect.stringMatching(
          /65 to destroy\ndemo is destroyed with all of its data; nothing is drained before\nnobody can be asked here; repeat it with: --confirm demo$/,
        ),
      });
      expect(await demo.state()).toEqual(before);
    });

    test("is destroyed clients first and Consul servers last, also where one before was cut off and a group is in flight", async () => {
      await demo.synth();
      const cut = ["destroy", "-auto-approve", "-target=terraform_data.broker-1-leave"];
      expect(await demo.terraform("cluster", cut)).toMatchObject({ exitCode: 0 });
      const taint = ["taint", "terraform_data.broker-2-leave"];
      expect(await demo.terraformText("cluster", taint)).toMatchObject({ exitCode: 0 });
      expect(await demo.status()).toMatchObject({ phase: "in flight" });
      const { output, exitCode } = await demo.rollout(["destroy", "--confirm", "demo"]);
      expect(output).not.toContain("warning");
      expect(exitCode).toBe(0);
      const gone = Array.from(output.matchAll(/ (\S+?)-[0-2]-\d+: delete done$/gm), ([, pool]) => pool);
      const times = (pool: string, count: number): string[] => Array.from({ length: count }, () => pool);
      expect(gone).toEqual([
        ...times("terraform_data.broker", 13),
        ...times("terraform_data.nomad-server", 3),
        ...times("terraform_data.consul-server", 3),
      ]);
      expect((await demo.state()).resources).toEqual([]);
      expect(await demo.rollout(["destroy", "--confirm", "demo"])).toEqual({
        exitCode: 0,
        output: "demo: nothing is deployed",
      });
    });
  },
);
