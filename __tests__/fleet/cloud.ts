import { chmod, copyFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, jest, test } from "@jest/globals";
import { execa } from "execa";
import { ask } from "./ask.js";
import type { DemoCluster } from "./demo-cluster.js";
import type { Fleet } from "./fleet.js";
import type { Machine } from "./machine.js";
import type { Report } from "./report.js";
import { Scenario } from "./scenario.js";

const knownHosts = fileURLToPath(new URL("../../docs/image/known-hosts", import.meta.url));

/** What EC2 itself does and fails to do, on a cluster that is there. */
export function testCloud(context: {
  readonly fleet: () => Fleet;
  readonly cluster: () => DemoCluster;
  readonly report: Report;
}): void {
  jest.setTimeout(30 * 60_000);
  const machine = (host: string): Machine => context.fleet().machine(host);

  test("lets in at a machine whom its security groups name, and does not answer anybody else", async () => {
    const { address } = machine("broker-0-0").props;
    const asked = [22, 8301, 8500, 4646, 4647, 8302].map(async (port) => [
      port,
      await reach(undefined, address, port),
      await reach(machine("web-0-0"), address, port),
    ]);
    // 8500 and 4646 listen on loopback alone, and to 4646 machines may come; 4647 is open on servers.
    expect(await Promise.all(asked)).toEqual([
      [22, "open", "silent"],
      [8301, "silent", "open"],
      [8500, "silent", "silent"],
      [4646, "silent", "closed"],
      [4647, "silent", "closed"],
      [8302, "silent", "silent"],
    ]);
  });

  test("tells whoever has no host CA the host key of a machine, from what it has printed", async () => {
    // ssh runs nothing that others than root may write.
    await copyFile(knownHosts, "/srv/known-hosts");
    await chmod("/srv/known-hosts", 0o755);
    const config = await context
      .fleet()
      .writeSshConfig(
        "/srv/ssh_config_console",
        "UserKnownHostsFile /dev/null",
        "KnownHostsCommand /srv/known-hosts %H",
      );
    const { address } = machine("web-2-0").props;
    const options = ["-F", config, "-oBatchMode=yes", "-oStrictHostKeyChecking=yes"];
    const { stdout } = await execa("ssh", [...options, address, "hostname"], {
      // Empty it is no profile to AWS's own program.
      env: { ...context.fleet().env, AWS_PROFILE: undefined },
    });
    expect(stdout).toBe(`ip-${address.replaceAll(".", "-")}`);
  });

  test("finishes a group for whose machine EC2 has no room, no volume and no time at first", async () => {
    const { report } = context;
    const [fleet, cluster] = [context.fleet(), context.cluster()];
    const { front } = fleet;
    const group = "web-1";
    const finish = "web-1 stays in flight, finish it with: rollout deploy web-1";
    const state = async () => {
      const { phase, message, next, groups } = await cluster.workspace.status(cluster.policies);
      return { phase, message, next, group: groups.find(({ name }) => name === group) };
    };
    const made = async () =>
      (await fleet.moto.ec2.everyInstance()).filter(({ tags }) => tags["Name"] === "demo-web-1-0");
    const before = (await made()).length;
    const image = (await state()).group?.image.deployed === "ami-0a01" ? "ami-0a02" : "ami-0a01";
    const row = await new Scenario(cluster, "EC2 has no room, ends a new machine, throttles").count(
      async () => {
        await cluster.workspace.rollout(["set", "image", `${group}=${image}`]);

        front.refusals.set("RunInstances", NO_ROOM);
        front.asked.clear();
        const waiting = cluster.workspace.startDeploy(group, cluster.policies);
        waiting.all.on("data", (data: Buffer) => {
          if (data.includes("Ctrl-C")) waiting.kill("SIGINT");
        });
        const { all: said } = await waiting;
        front.refusals.clear();
        expect(front.asked.get("RunInstances")).toBeGreaterThan(1);
        expect(said).toContain(
          "  aws_instance.web-1-0: not there after 60 s; where EC2 has none or throttles, the AWS provider tries again for up to an hour: wait, or end it with Ctrl-C\n",
        );
        expect(lastLines(said, 1)).toEqual([`stopped: ${finish}`]);
        expect(await state()).toMatchObject({
          phase: "in flight",
          message: "web-1; no run is under way",
          next: "npx rollout deploy web-1",
          group: {
            hosts: { deployed: 0, desired: 1 },
            reason:
              "null_resource.web-1-leave is missing: the group has left, null_resource.web-1-ready is missing",
          },
        });

        front.launchFailure = NO_VOLUME;
        const ended = await cluster.roll(group);
        front.launchFailure = undefined;
        const why = expect.stringMatching(
          /^terraform apply failed: aws_instance\.web-1-0: waiting for EC2 Instance \(i-\w+\) create: unexpected state 'terminated', wanted target 'running'\. last error: Client\.VolumeLimitExceeded: Volume limit exceeded\. You have exceeded the maximum gp3 storage limit in this region\.$/,
        );
        const log = expect.stringMatching(/^all that it said is in .*-web-1-apply\.jsonl$/);
        expect(lastLines(ended.output, 3)).toEqual([why, log, finish]);
        expect(await state()).toMatchObject({
          phase: "failed",
          message: expect.stringContaining(NO_VOLUME.message),
          next: "npx rollout deploy web-1",
          group: { reason: expect.stringMatching(/^aws_instance\.web-1-0 is tainted, /) },
        });

        front.refusals.set("DescribeInstances", THROTTLED);
        const throttled = await cluster.roll(group);
        front.refusals.clear();
        expect(throttled.exitCode).toBe(1);
        expect(throttled.output).toContain(
          "AWS throttles: ec2:DescribeInstances: Request limit exceeded; run it again later",
        );

        front.refusals.set("RunInstances", { ...THROTTLED, times: 2 });
        front.asked.clear();
        const last = await cluster.roll(group);
        expect({ ...last, output: last.exitCode === 0 ? "" : last.output }).toEqual({
          exitCode: 0,
          output: "",
        });
        expect(front.asked.get("RunInstances")).toBe(3);
      },
    );
    report.add(row);
    expect(row).toMatchObject({ failures: [], lost: 0, movedTwice: 0 });
    expect(await state()).toMatchObject({
      phase: "healthy",
      group: { state: "current", image: { deployed: image } },
    });
    const machines = await made();
    expect(machines.filter((each) => each.state === "running").map((each) => each.image)).toEqual([image]);
    // The one that EC2 has ended, and this one.
    expect(machines).toHaveLength(before + 2);
    const nodes = await ask(machine("nomad-server-0-0"), "GET", ":4646/v1/nodes", cluster.tokens.nomad);
    expect(nodes).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ Name: "web-1-0", Status: "ready", SchedulingEligibility: "eligible" }),
      ]),
    );
  });
}

const NO_ROOM = {
  status: 500,
  code: "InsufficientInstanceCapacity",
  message:
    "We currently do not have sufficient t3.small capacity in the Availability Zone you requested (eu-west-1b). Our system will be working on provisioning additional capacity. You can currently get t3.small capacity by not specifying an Availability Zone in your request or choosing eu-west-1a, eu-west-1c.",
};

const THROTTLED = { status: 503, code: "RequestLimitExceeded", message: "Request limit exceeded." };

const NO_VOLUME = {
  code: "Client.VolumeLimitExceeded",
  message: "Volume limit exceeded. You have exceeded the maximum gp3 storage limit in this region.",
};

const lastLines = (text: string, count: number): string[] => text.trimEnd().split("\n").slice(-count);

/** What becomes of a connection that a machine, or the one who rolls, wants to open. */
async function reach(
  from: Machine | undefined,
  address: string,
  port: number,
): Promise<"open" | "closed" | "silent"> {
  const words = ["python3", "-c", CONNECT, address, String(port)];
  const said =
    from === undefined ? (await execa(words[0] ?? "", words.slice(1))).stdout : await from.run(words);
  return said === "open" || said === "closed" ? said : "silent";
}

const CONNECT = `
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)
    print("open")
except ConnectionRefusedError:
    print("closed")
except TimeoutError:
    print("silent")
`;
