import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execa } from "execa";
import { userData } from "../../cluster/user-data.js";
import { describeReal } from "../support/environment.js";
import { Fleet } from "./fleet.js";
import type { Machine } from "./machine.js";
import { until } from "./until.js";

const HOST = "broker-0-0";

describeReal("A machine of the fleet, one test after another", ["moto", "fleet"], () => {
  let fleet: Fleet;
  let machine: Machine;

  beforeAll(async () => {
    fleet = await Fleet.start();
    const { vpcId, subnetIds } = await fleet.moto.ec2.createNetwork();
    await fleet.putSecret("/rollout/demo/all/consul/secrets.json", {});
    const identity = { name: HOST, pool: "broker", group: "broker-0", image: "ami-0a01", hash: "0123456789" };
    await fleet.run(HOST, subnetIds[0], await fleet.openToRunner(vpcId), userData("demo", identity));
    machine = await until(`${HOST} is up`, () => fleet.machines()[0]);
  });

  afterAll(async () => {
    await fleet.stop();
    expect(fleet.failures).toEqual([]);
  });

  const see = (what: string, look: () => Promise<boolean>) =>
    until(what, look, { tell: () => machine.journal() });

  test("runs cloud-init, which takes our user data from IMDSv2", async () => {
    await see("cloud-init has ended", async () =>
      (await machine.run(["cloud-init", "status"], { reject: false })).includes("done"),
    );
    expect(await machine.run(["cat", "/etc/rollout/machine.env"])).toContain("ROLLOUT_HOST=broker-0-0");
  });

  test("has its host key signed, so that ssh knows it by the authority alone", async () => {
    const config = await fleet.sshConfig("/srv");
    await see("ssh", async () => {
      const { stdout } = await execa("ssh", [
        "-F",
        config,
        "-oBatchMode=yes",
        "-oStrictHostKeyChecking=yes",
        machine.props.address,
        "hostname",
      ]);
      return stdout !== "";
    });
  });

  test("runs Consul and Nomad, with secrets that it fetches by its instance profile", async () => {
    await see(
      "the agents run",
      async () => (await machine.run(["systemctl", "is-active", "consul", "nomad"])) === "active\nactive",
    );
    expect(await machine.run(["cat", "/run/rollout/consul/secrets.json"])).toBe("{}");
  });
});
