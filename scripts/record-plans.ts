import { rmSync } from "node:fs";
import { join } from "node:path";
import { AWS, awsCluster } from "./recording/aws-cases.js";
import { BATCHES } from "./recording/batch-cases.js";
import type { Case } from "./recording/case.js";
import { BOOTSTRAP, CLEAN } from "./recording/clean-cases.js";
import { Fixtures } from "./recording/fixtures.js";
import { GATES } from "./recording/gate-cases.js";
import { HOOKS } from "./recording/hook-cases.js";
import { LOCAL_CLUSTER } from "./recording/local-cluster.js";
import { makeNetwork } from "./recording/network.js";
import { OPTIONS } from "./recording/option-cases.js";
import { OWN_RESOURCES } from "./recording/own-cases.js";
import { RETIRING } from "./recording/retire-cases.js";
import { STATES } from "./recording/state-cases.js";
import { TAMPERED } from "./recording/tampered-cases.js";
import { World } from "./recording/world.js";

// Makes the plans that the guard is tested with, by the real Terraform. Run in the top folder, after a build:
// node dist/scripts/record-plans.js [NAME...]
// Those on AWS are made where AWS_ENDPOINT_URL names moto's server: never against the real one.
const fixtures = Fixtures.in("__tests__/guard/plan/fixtures");
const SCRATCH = ".cache/record-plans";

const only = process.argv.slice(2);
const isWanted = ({ name }: Case): boolean => only.length === 0 || only.includes(name);

rmSync(SCRATCH, { recursive: true, force: true });
for (const each of BOOTSTRAP.filter(isWanted)) {
  await record(each, World.create(join(SCRATCH, each.name), LOCAL_CLUSTER));
}
const standing = World.create(join(SCRATCH, "standing"), LOCAL_CLUSTER);
await standing.roll("cluster");
// Again, or a Consul server could not be planned: until the next apply the state remembers in which order the first one went.
await standing.roll("cluster");
const cases = [
  ...CLEAN,
  ...OWN_RESOURCES,
  ...OPTIONS,
  ...TAMPERED,
  ...HOOKS,
  ...GATES,
  ...BATCHES,
  ...STATES,
  ...RETIRING,
];
for (const each of cases.filter(isWanted)) {
  await record(each, standing.copy(join(SCRATCH, each.name)));
}
if (process.env["AWS_ENDPOINT_URL"] && AWS.some(isWanted)) {
  const { vpcId, subnetIds } = await makeNetwork(join(SCRATCH, "network"));
  const onAws = World.create(join(SCRATCH, "aws"), awsCluster(vpcId, subnetIds));
  await onAws.roll("cluster");
  for (const each of AWS.filter(isWanted)) await record(each, onAws.copy(join(SCRATCH, each.name)));
}
rmSync(SCRATCH, { recursive: true, force: true });

async function record({ name, what, expected, make }: Case, world: World): Promise<void> {
  const plan = await make(world);
  const { state, spec, steps } = world;
  await fixtures.keep(name, { what, made: steps, plan, state, spec, expected });
  console.log(`${name}: ${String(plan.length)} bytes`);
}
