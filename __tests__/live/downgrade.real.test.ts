import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { templateHash } from "../../cluster/template-hash.js";
import { downgradeIn } from "../../live/downgrade.js";
import { agentsSpec, change, deployedAs, groupIn, poolOf, withGroup } from "../support/fixtures.js";
import { startSimulatedCluster, type SimulatedWorld } from "../support/simulated-cluster.js";

jest.setTimeout(60_000);

const before = agentsSpec();
let world: SimulatedWorld;

beforeAll(async () => {
  world = await startSimulatedCluster(before);
  world.announceIn(world.folder);
  await world.whole();
});

afterAll(async () => {
  await world.close();
});

test.each(["consul-server", "nomad-server"])(
  "servers of %s are asked what they run: another image of the same version is no downgrade",
  async (pool) => {
    const name = `${pool}-1`;
    const template = { image: "ami-0bbb", instanceType: "t3.small", generation: 0 };
    const next = { ...template, number: 2, hash: templateHash(template), cause: "any" };
    const spec = change(before, (draft) => {
      poolOf(draft, pool).images[1] = "ami-0bbb";
    });
    const standing = deployedAs(before);
    const { hosts, revisions } = groupIn(standing, name);
    const deployed = withGroup(standing, name, {
      hosts: hosts.map((host) => ({ ...host, image: "ami-0bbb" })),
      revisions: [...revisions, next],
    });
    const ask = { env: {}, folder: world.folder };
    expect(await downgradeIn({ spec, deployed }, name, "ami-0aaa", ask)).toBeUndefined();
    expect(await downgradeIn({ spec, deployed }, name, "ami-0zzz", ask)).toMatch(
      new RegExp(`^${name} would go back from ami-0bbb \\(\\d[^)]*\\) to ami-0zzz \\(version unknown\\)`),
    );
  },
);
