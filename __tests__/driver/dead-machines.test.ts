import { expect, test } from "@jest/globals";
import { findGroup } from "../../cluster/find-group.js";
import { DeadMachines } from "../../driver/dead-machines.js";
import type { GroupAgents } from "../../driver/group-agents.js";
import type { Program } from "../../program/program.js";
import { deployedAs, groupIn, localSpec, withGroup } from "../support/fixtures.js";

const spec = localSpec();
const standing = deployedAs(spec);

/** `rollout deploy broker-1` while Nomad's agent of its first machine is gone. */
function find(deployed: typeof standing): Promise<boolean> {
  const half = (): Partial<GroupAgents> => ({
    fates: (hosts) =>
      Promise.resolve(
        hosts.slice(0, 1).map(({ name: host, id = "" }) => ({
          host,
          id,
          kind: "half",
          why: `its node is down; sudo systemctl start nomad on ${host}`,
        })),
      ),
  });
  const dead = new DeadMachines(
    "broker-1",
    () => half() as GroupAgents,
    () => undefined,
  );
  return dead.find({ spec, deployed } as Program, "done");
}

test("a machine of which one agent is gone is mended, or its group restarted", async () => {
  await expect(find(standing)).rejects.toThrow(
    "broker-1-0 is not well: its node is down; sudo systemctl start nomad on broker-1-0, or replace its machines: rollout restart broker-1",
  );
});

test("beside a group in flight no restart is named, which would have to wait for that", async () => {
  const { hosts, ready } = groupIn(standing, "broker-0");
  const { hash } = findGroup(spec, "broker-0");
  const ids = hosts.map(({ id }) => id).join(",");
  const inFlight = withGroup(standing, "broker-0", { ready: { ...ready, hosts: ids, hash, gate: "closed" } });
  await expect(find(inFlight)).rejects.toThrow(
    "broker-1-0 is not well: its node is down; sudo systemctl start nomad on broker-1-0, or where it does not start, stop the machine for good and run this again: broker-0 is in flight, and a restart would have to wait for it",
  );
});
