import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { execa } from "execa";
import { MachinesFolder } from "../../clients/local-machines/machines-folder.js";
import type { Deployed } from "../../cluster/deployed.js";
import { groupsOf } from "../../cluster/groups.js";
import { formatHookFile } from "../../cluster/hooks/hook-file.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { serviceJob } from "../contract/service-job.js";
import {
  change,
  deployedAs,
  groupIn,
  poolOf,
  smallAwsSpec,
  smallSpec,
  withGroup,
} from "../support/fixtures.js";
import { startSimulatedCluster } from "../support/simulated-cluster.js";

const PROGRAM = fileURLToPath(new URL("../../dist/bin/rollout.js", import.meta.url));

/** Without agents. */
const bare = smallSpec();
const spec: Spec = (() => {
  const { name, backend, pools, rollout, protection } = bare;
  const local = { agents: "simulated", speed: 20 } as const;
  return { name, platform: "local", local, backend, pools, rollout, protection };
})();
const hashOf = (name: string, of: Spec = spec): string =>
  groupsOf(of).find((group) => group.name === name)?.hash ?? "";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-hook-"));
  // Nothing listens there.
  const machine = { agents: "simulated", address: "10.0.0.1", startedAt: "2026-01-01T00:00:00Z" } as const;
  const consul = "http://127.0.0.1:1/consul";
  const machines = new MachinesFolder(join(runFolder(), "machines"));
  machines.write({ ...machine, name: "consul-server-0-0", role: "consul-server", consul });
  const nomad = "http://127.0.0.1:1/nomad";
  machines.write({ ...machine, name: "nomad-server-0-0", role: "nomad-server", consul, nomad });
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const runFolder = (): string => join(folder, ".rollout", spec.name);

const hookFile = (of: Spec, deployed: Deployed): string =>
  formatHookFile({ spec: of, deployed, specFolder: "." });

const prepare = (text = hookFile(spec, deployedAs(spec))): void => {
  writeFileSync(join(folder, "hooks.json"), text);
};

function hook(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const unset = { CONSUL_HTTP_ADDR: "", NOMAD_ADDR: "", CONSUL_HTTP_TOKEN: "", NOMAD_TOKEN: "" };
  return execa(process.execPath, [PROGRAM, "hook", ...args], {
    cwd: folder,
    env: { ...unset, NODE_OPTIONS: "", ...env },
    reject: false,
  });
}

async function outcome(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { exitCode, stdout, stderr } = await hook(args, env);
  return { exitCode, stdout, stderr };
}

describe("hook", () => {
  test("rejects a folder without hooks.json as wrong usage", async () => {
    expect(await outcome(["leave", "broker-0", "--hash", "x"])).toEqual({
      exitCode: 2,
      stdout: "",
      stderr:
        "no hooks.json in this folder: hooks are called by Terraform in the folder of a synthesized stack, such as cdktf.out/demo/broker-0",
    });
  });

  test("rejects a damaged hooks.json", async () => {
    prepare("{");
    expect(await outcome(["leave", "broker-0", "--hash", "x"])).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: "hooks.json is damaged, or of another version of this program; synthesize again",
    });
  });

  test("a group that has never stood has nothing to leave, whoever can be asked", async () => {
    prepare(hookFile(spec, withGroup(deployedAs(spec), "broker-0", { revisions: [] })));
    const args = ["leave", "broker-0", "--hash", hashOf("broker-0"), "--stay", "broker-0-0"];
    expect(await outcome(args)).toEqual({
      exitCode: 0,
      stdout: "broker-0: nothing to do: it has never stood, so no work is its own yet",
      stderr: "",
    });
  });

  test("a group without a machine has nothing to leave and nothing to wait for, whoever can be asked", async () => {
    const retiring = change(spec, (edited) => {
      poolOf(edited, "broker").retire = "keep-volumes";
    });
    const emptied = withGroup(deployedAs(spec), "broker-0", { hosts: [] });
    prepare(formatHookFile({ spec: retiring, deployed: emptied, specFolder: "." }));
    expect(await outcome(["leave", "broker-0", "--hash", hashOf("broker-0")])).toEqual({
      exitCode: 0,
      stdout: "broker-0: nothing to do: it has no machine",
      stderr: "",
    });
    expect(await outcome(["ready", "broker-0", "--hash", hashOf("broker-0")])).toEqual({
      exitCode: 0,
      stdout: "broker-0: nothing to wait for: it has no machine any more",
      stderr: "",
    });
  });

  test("rejects configure-consul without the addresses that Terraform gives it", async () => {
    const aws = smallAwsSpec();
    prepare(hookFile(aws, deployedAs(aws)));
    expect(await outcome(["configure-consul", "broker-0-0"])).toEqual({
      exitCode: 2,
      stdout: "",
      stderr:
        "ROLLOUT_HOST_ADDRESS and ROLLOUT_CONSUL_SERVERS are not set; Terraform sets them where it calls this hook",
    });
  });

  test("rejects addresses of Consul servers that are none, before a machine is asked", async () => {
    const aws = smallAwsSpec();
    prepare(hookFile(aws, deployedAs(aws)));
    const given = { ROLLOUT_HOST_ADDRESS: "127.0.0.1", ROLLOUT_CONSUL_SERVERS: "10.0.0.1,,nowhere;rm" };
    const { exitCode, stdout, stderr } = await outcome(["configure-consul", "broker-0-0"], given);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatchInlineSnapshot(
      `"wrong list of Consul servers: "" is no IP address, "nowhere;rm" is no IP address; each is an address such as 10.0.0.1 or 10.0.0.1:8301, and stands once; nothing was changed"`,
    );
  });

  test("rejects a hook that is none as wrong usage", async () => {
    const { exitCode, stderr } = await outcome(["explode", "broker-0"]);
    expect({ exitCode, first: stderr.split("\n")[0] }).toEqual({
      exitCode: 2,
      first:
        "no hook: hook explode broker-0; there are leave, lb-drained, ready, configure-consul, start-agents, stop-agents, each of a group or a host",
    });
  });

  test.each([[["leave"]], [["leave", "broker-0", "broker-1"]], [["leave", "broker-0", "--force"]]])(
    "rejects %j as wrong usage, before anything leaves",
    async (args) => {
      prepare();
      expect(await outcome(args)).toMatchObject({
        exitCode: 2,
        stdout: "",
        stderr: expect.stringMatching(/^(no hook: hook leave|Unknown option '--force')/),
      });
    },
  );

  test.each(["leave", "ready", "lb-drained", "configure-consul"])(
    "%s has nothing to do on platform local without agents, whatever the environment names",
    async (name) => {
      prepare(hookFile(bare, deployedAs(bare)));
      const stdout = `hook ${name} broker-0: nothing to do: this cluster on platform local has no agents (local.agents: none)`;
      const env = { CONSUL_HTTP_ADDR: "http://127.0.0.1:1", NOMAD_ADDR: "http://127.0.0.1:1" };
      const args = [name, "broker-0", "--hash", hashOf("broker-0")];
      expect(await outcome(args, env)).toEqual({ exitCode: 0, stdout, stderr: "" });
    },
  );

  test.each(["leave", "ready"])("%s refuses a plan of another template", async (name) => {
    prepare();
    expect(await outcome([name, "broker-0", "--hash", "0123456789"])).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: `the plan is not of this stack: broker-0 has the template ${hashOf("broker-0")} in hooks.json, the hook was called for 0123456789; synthesize and plan again`,
    });
  });

  test("refuses a group that hooks.json does not know", async () => {
    prepare();
    expect(await outcome(["leave", "broker-7", "--hash", "x"])).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: "no group broker-7 in hooks.json; synthesize and plan again",
    });
  });
});

describe("leave", () => {
  test("refuses at once where nobody answers, and names the addresses", async () => {
    prepare();
    const { exitCode, stdout, stderr } = await outcome(["leave", "broker-0", "--hash", hashOf("broker-0")]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    const [first, second, ...more] = stderr.split("\n");
    expect([first, second]).toEqual([
      "nothing has been done: no work may leave while this is so:",
      "  preflight: could not ask for Consul's members: Consul did not answer: GET /v1/agent/members at http://127.0.0.1:1/consul (connection refused); see that the agent runs, and check CONSUL_HTTP_ADDR; what is not known counts as not well; see to it and run this again",
    ]);
    expect(more.every((line) => line.startsWith("  preflight: could not ask for "))).toBe(true);
    expect(stderr).toContain("http://127.0.0.1:1/nomad (connection refused)");
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "ended by %s while it waits says what was done and what was not",
    async (signal) => {
      const world = await startSimulatedCluster(spec);
      try {
        await world.whole();
        await world.run(serviceJob("web", 3));
        world.simulator.cluster.nomad.drainer.endless.add("broker-0-0");
        // As after an edit: the machine that stands was made from another template.
        world.announceIn(runFolder());
        const edited = change(spec, (next) => {
          poolOf(next, "broker").images[0] = "v2";
        });
        prepare(hookFile(edited, deployedAs(spec)));
        const hash = hashOf("broker-0", edited);
        const run = hook(["leave", "broker-0", "--hash", hash, "--stay", "broker-0-0"]);
        let said = "";
        run.stdout.on("data", (text: Buffer) => (said += text.toString()));
        await world.until(() => said.includes("  still: broker-0-0"));
        run.kill(signal);
        const { exitCode, stdout, stderr } = await run;
        expect({ exitCode, stderr }).toEqual({
          exitCode: 1,
          stderr:
            "interrupted\ndone: mark-ineligible, drain; not ended: wait-drained; run it again: it goes on from here",
        });
        expect(
          stdout.split("\n").map((line) => line.replace(/^\+\d+s /, "").replace(/\(.*/, "(...)")),
        ).toEqual([
          "mark-ineligible: broker-0: broker-0-0 may get no new work",
          "drain: broker-0: broker-0-0 drained, deadline 3600 s",
          "wait-drained: broker-0: waiting until no work is left",
          "  still: broker-0-0 (...)",
        ]);
        expect(await world.eligibility()).toMatchObject({ "broker-0-0": "ineligible" });
        expect(await world.members()).toMatchObject({ "broker-0-0": "alive" });
      } finally {
        await world.close();
      }
    },
  );
});

describe("ready", () => {
  test("holds the first group of a pool that is rolled to an image for longer", async () => {
    const edited = change(spec, (next) => {
      const broker = poolOf(next, "broker");
      broker.images[0] = "v2";
      broker.bake = { time: "1m", first: "30m" };
    });
    const world = await startSimulatedCluster(edited);
    try {
      await world.whole();
      world.announceIn(runFolder());
      const heldBy = async (deployed: Deployed): Promise<string> => {
        prepare(formatHookFile({ spec: edited, deployed, specFolder: "." }));
        const args = ["ready", "broker-0", "--hash", hashOf("broker-0", edited)];
        const run = hook(args);
        let said = "";
        run.stdout.on("data", (text: Buffer) => (said += text.toString()));
        await world.until(() => said.includes("every condition is met"));
        run.kill("SIGTERM");
        await run;
        return said.split("\n").find((line) => line.includes("every condition is met")) ?? "";
      };
      const before = deployedAs(spec);
      expect(await heldBy(before)).toMatch(/held 0s of 1800s$/);
      const [first] = groupIn(before, "broker-1").revisions;
      if (!first) throw new Error("broker-1 has no revision");
      const rolled = withGroup(before, "broker-1", { revisions: [{ ...first, image: "v2" }] });
      expect(await heldBy(rolled)).toMatch(/held 0s of 60s$/);
    } finally {
      await world.close();
    }
  });
});

test("ready proves nothing where its gate is closed, and says so", async () => {
  prepare();
  const args = ["ready", "broker-0", "--hash", hashOf("broker-0")];
  expect(await outcome(args, { ROLLOUT_GATE: "closed" })).toEqual({
    exitCode: 0,
    stdout: "broker-0: its gate comes next, and it is in flight until that has passed",
    stderr: "",
  });
});
