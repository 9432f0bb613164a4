import { expect, test } from "@jest/globals";
import { drive, type RunEnd } from "../schedules/driver.js";
import { asked, newWorld } from "../schedules/schedule.js";
import { Killed, type World } from "../schedules/world.js";

const [OUT, NEXT] = ["consul-server-0", "consul-server-1"];

/** `rollout deploy GROUP`, once. */
const deploy = (world: World, group: string): Promise<RunEnd> =>
  drive(world, { groups: [group], command: `rollout deploy ${group}` }, () => Promise.resolve());

/** A roll of the first group that is killed once its server has left, and an edit by hand that sets its image back. */
async function leaveAndSetBack(): Promise<World> {
  const world = newWorld();
  const wanted = { ...asked("consul-server"), groups: [OUT] };
  const hasLeft = (): boolean => world.cluster.consul.gossip.members.get(`${OUT}-0`)?.status === "left";
  const end = await drive(world, wanted, () => {
    if (hasLeft()) throw new Killed();
    return Promise.resolve();
  });
  expect([end.kind, hasLeft()]).toEqual(["killed", true]);
  world.edit(OUT, { image: "v1" });
  return world;
}

/** `terraform apply` of a view, whose leave hook refuses: by then Terraform has destroyed its `ready`. */
function applyPlainly(world: World, group: string): void {
  world.edit(group, { image: "v2" });
  delete world.state.group(group).ready;
  world.state.serial++;
}

test("two groups that are out and wait for each other are refused with the command that ends it, and that ends it", async () => {
  const world = await leaveAndSetBack();
  applyPlainly(world, NEXT);
  expect(await deploy(world, OUT)).toMatchObject({
    kind: "broken",
    reason: `${NEXT} is in flight (terraform_data.${NEXT}-ready is missing), so ${OUT} is not rolled; first: rollout deploy ${NEXT}`,
  });
  const command = `sudo systemctl start consul on ${OUT}-0`;
  expect(await deploy(world, NEXT)).toMatchObject({
    kind: "broken",
    reason: `${OUT}-0 is not well, and ${OUT} is a group of the same pool: its Consul agent is left; make ${OUT} whole before ${NEXT} is rolled: finish its roll where one was begun (npx rollout deploy ${OUT}), or where it is to stay as it is: ${command}`,
  });
  // Asked again and again it stays so: nothing else ends it.
  world.cluster.advance(600_000);
  expect(await deploy(world, NEXT)).toMatchObject({ kind: "broken" });
  world.cluster.startAgent(`${OUT}-0`, "consul");
  world.cluster.advance(60_000);
  expect(await deploy(world, NEXT)).toMatchObject({ kind: "done" });
  expect([world.isWhole(OUT), world.isWhole(NEXT)]).toEqual([true, true]);
  expect(world.place).toContain("consul-server-0 v1, consul-server-1 v2, consul-server-2 v1");
});

test("the driver alone never gets there: it refuses before anything of the other group is touched", async () => {
  const world = await leaveAndSetBack();
  world.edit(NEXT, { image: "v2" });
  expect(await deploy(world, NEXT)).toMatchObject({ kind: "broken" });
  expect(world.state.group(NEXT).ready).toBeDefined();
});
