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
  },
);
