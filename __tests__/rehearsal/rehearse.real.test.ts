import { once } from "node:events";
import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { execa } from "execa";
import { withoutForeignSettings } from "../../rehearsal/rehearsing.js";
import { nextImage } from "../../rehearsal/roll.js";
import { markedProcesses } from "../../clients/local-machines/marked-processes.js";
import { rehearsalSchema } from "../../rehearsal/report.js";
import { describeReal } from "../support/environment.js";

const ROLLOUT = fileURLToPath(new URL("../../dist/bin/rollout.js", import.meta.url));

/** Small, and soon ready. */
const SPEC = `name: small
platform: aws
aws: { region: eu-west-1, vpcId: vpc-0a1, subnetIds: [subnet-0a1, subnet-0b1, subnet-0c1] }
backend: { type: s3, bucket: b, key: k, region: eu-west-1 }
pools:
  consul-server: { images: [ami-0aaa, ami-0aaa, ami-0aaa], instanceTypes: [t3.small, t3.small, t3.small], bake: { time: 0s } }
  nomad-server: { images: [ami-0aaa, ami-0aaa, ami-0aaa], instanceTypes: [t3.small, t3.small, t3.small], bake: { time: 0s } }
  app:
    images: [ami-0aaa, ami-0aaa, ami-0aaa]
    instanceTypes: [t3.small, t3.small, t3.small]
    hosts: [2, 1, 1]
    maxUnavailable: 1
    bake: { time: 0s }
    ready: { checks: [{ name: answers, http: "http://{address}/" }] }
`;

/** What would lead hooks and Terraform to a real cluster. */
const FOREIGN = {
  CONSUL_HTTP_ADDR: "http://127.0.0.1:1",
  CONSUL_HTTP_TOKEN: "not-for-a-rehearsal",
  NOMAD_ADDR: "http://127.0.0.1:1",
  ROLLOUT_DEPLOYED: "file:nowhere",
  TF_CLI_ARGS_plan: "-destroy",
};

/** The folder of temporary files, so that what is left behind is seen. */
let folder: string;
let spec: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rehearse-test-"));
  spec = join(folder, "cluster.yaml");
  await writeFile(spec, SPEC);
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describeReal("rollout rehearse", ["terraform"], ({ env }) => {
  test("rolls a client group in batches and a Consul server under load, has two groups refused, and leaves nothing", async () => {
    const run = await rehearse(["--spec", spec, "--format", "json"], { ...env, ...FOREIGN });
    expect({ exitCode: run.exitCode, stderr: run.exitCode === 0 ? "" : run.stderr }).toEqual({
      exitCode: 0,
      stderr: "",
    });
    const { steps, load, work, ...rest } = rehearsalSchema.parse(JSON.parse(run.stdout));
    expect(rest).toMatchObject({ verdict: "passed", machines: 10, kept: null, cluster: "small" });
    expect(rest.leftOut).toEqual(["app: its own checks are not asked, they need real machines: answers"]);
    expect(steps.map(({ step, group, machines }) => [step, group, machines])).toEqual([
      ["create", null, expect.any(Array)],
      ["roll", "app-0", ["app-0-0", "app-0-1"]],
      ["roll", "consul-server-0", ["consul-server-0-0"]],
      ["refuse", null, []],
    ]);
    const order = steps[1]?.phases.map(({ what, count }) => `${String(count)} x ${what}`);
    expect(order).toEqual([
      "2 x nothing speaks against the roll",
      "2 x planned, and accepted by the guard",
      "2 x work leaves, then the agents",
      "2 x what is left on the machine is stopped",
      "2 x machine destroyed",
      "2 x machine created",
      "2 x agents started",
      "2 x told of the Consul servers",
      "2 x ready, and held for the bake time",
      "1 x revision recorded",
    ]);
    expect(steps[2]?.phases.find(({ what }) => what === "told of the Consul servers")?.count).toBe(10);
    expect(steps[3]?.refusal).toMatch(
      /^one-group: 2 groups are pending, one may be: app-1 .*consul-server-2/,
    );
    expect(load.writes).toMatchObject({ failed: 0, lost: [] });
    expect(load.writes.acknowledged).toBe(load.writes.tried);
    expect(load.requests?.tried).toBeGreaterThan(0);
    expect(load.requests?.failed).toBe(0);
    expect(work).toEqual({ moved: 2, movedTwice: [] });
    expect(await left()).toEqual({ files: ["cluster.yaml"], processes: 0 });
  }, 240_000);

  test("rolls a client group with its new machines first, and no work moves twice", async () => {
    await writeFile(spec, SPEC.replace("maxUnavailable: 1", "maxSurge: 1"));
    const run = await rehearse(["app-0", "--spec", spec, "--format", "json"], env);
    expect({ exitCode: run.exitCode, stderr: run.exitCode === 0 ? "" : run.stderr }).toEqual({
      exitCode: 0,
      stderr: "",
    });
    const { steps, load, work, verdict } = rehearsalSchema.parse(JSON.parse(run.stdout));
    expect(verdict).toBe("passed");
    expect(steps[1]?.machines).toEqual(["app-0-0", "app-0-1", "app-0-2"]);
    expect(steps[1]?.phases.map(({ what, count }) => `${String(count)} x ${what}`)).toEqual(
      expect.arrayContaining(["2 x machine created", "2 x machine destroyed"]),
    );
    expect(load.writes).toMatchObject({ failed: 0, lost: [] });
    expect(load.requests?.failed).toBe(0);
    expect(work).toEqual({ moved: 2, movedTwice: [] });
  }, 240_000);

  test("ends by Ctrl-C in the middle of a step, with nothing left", async () => {
    const run = rehearse(["--spec", spec], env);
    await printed(run, "nomad-server-0: agents started");
    run.kill("SIGINT");
    const { signal, stdout, stderr } = await run;
    expect({ signal, stdout }).toEqual({ signal: "SIGINT", stdout: "" });
    // What Terraform has begun may end in between.
    expect(stderr).toMatch(/^stopping: (Terraform|OpenTofu) is asked to end, then everything is removed$/m);
    expect(stderr.split("\n").at(-1)).toBe("stopped; everything is removed");
    expect(await left()).toEqual({ files: ["cluster.yaml"], processes: 0 });
  }, 120_000);

  test("fails with what Terraform said, keeps the cluster where it was asked to, and removes it later", async () => {
    const broken = join(folder, "broken");
    await writeFile(
      broken,
      `#!/bin/sh\n[ "$1" = plan ] && echo "Error: out of luck" >&2 && exit 1\nexec terraform "$@"\n`,
      {
        mode: 0o755,
      },
    );
    const run = await rehearse(["--spec", spec, "--keep"], { ...env, TERRAFORM_BINARY_NAME: broken });
    expect({ exitCode: run.exitCode, stdout: run.stdout }).toEqual({ exitCode: 1, stdout: "" });
    const [kept = ""] = (await readdir(folder)).filter((name) => name.startsWith("rollout-rehearsal-"));
    expect(run.stderr).toBe(
      `create the cluster\n  plan: what would be done, and whether the guard accepts it\nkept: ${join(folder, kept)}; npx rollout rehearse --clean removes it\nterraform plan failed: out of luck`,
    );
    const clean = await rehearse(["--clean"], env);
    expect(clean).toMatchObject({ exitCode: 0, stdout: `${join(folder, kept)} is removed`, stderr: "" });
    expect(await rehearse(["--clean"], env)).toMatchObject({ stdout: "no rehearsal has left anything" });
    expect((await left()).files).toEqual(["broken", "cluster.yaml"]);
  });

  test.each([
    [["app-3"], 'no group "app-3" in pool app (0, 1, 2); did you mean app-2?'],
    [["--clean", "app-0"], "--clean takes no groups: it removes every rehearsal"],
  ])("refuses %j with exit code 2", async (args, message) => {
    const run = await rehearse(args, { ...env, CLUSTER: spec });
    expect({ exitCode: run.exitCode, stdout: run.stdout, stderr: run.stderr }).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: message,
    });
    expect((await left()).files).toEqual(["cluster.yaml"]);
  });

  test("refuses a spec that is wrong, and one that is not there", async () => {
    await writeFile(spec, SPEC.replace("platform: aws", "platform: moon"));
    expect((await rehearse(["--spec", spec], env)).stderr).toBe(
      `${spec}:2: platform: got "moon"; expected aws or local`,
    );
    const missing = join(folder, "missing.yaml");
    const run = await rehearse(["--spec", missing], env);
    expect(run.stderr).toBe(
      `cannot read ${missing}: there is no such file; name the spec by CLUSTER=FILE, or copy cluster.example.yaml to cluster.yaml`,
    );
    expect((await left()).files).toEqual(["cluster.yaml"]);
  });
});

describe("A rehearsal", () => {
  test("says in one line how to get Terraform where there is none and none may be fetched", async () => {
    await symlink(process.execPath, join(folder, "node"));
    const run = await rehearse(["--spec", spec], {
      PATH: folder,
      TERRAFORM_BINARY_NAME: "",
      ROLLOUT_DOWNLOAD: "never",
    });
    expect({ exitCode: run.exitCode, stdout: run.stdout, stderr: run.stderr }).toEqual({
      exitCode: 1,
      stdout: "",
      stderr:
        "Terraform is not installed: looked for terraform and tofu on the PATH; install Terraform 1.9 or newer (developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org/docs/intro/install), or name a binary by TERRAFORM_BINARY_NAME",
    });
    expect((await left()).files).toEqual(["cluster.yaml", "node"]);
  });

  test("says what real agents need where they are not there", async () => {
    await symlink(process.execPath, join(folder, "node"));
    await writeFile(join(folder, "terraform"), '#!/bin/sh\necho \'{"terraform_version":"1.11.4"}\'\n', {
      mode: 0o755,
    });
    const run = await rehearse(["--spec", spec, "--agents", "real"], {
      PATH: `${folder}:/usr/sbin`,
      TERRAFORM_BINARY_NAME: "",
    });
    expect({ exitCode: run.exitCode, stdout: run.stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(run.stderr).toMatch(
      process.platform === "linux"
        ? /^no consul on the PATH, which agents: real needs; get it from https:\/\/developer.hashicorp.com\/consul\/install, or use simulated agents$/
        : /^agents: real needs Linux/,
    );
  });

  test("takes everything out of Terraform's environment that leads to a real cluster", () => {
    const kept = { PATH: "/bin", HOME: "/", TF_CLI_CONFIG_FILE: "x", TERRAFORM_BINARY_NAME: "tofu" };
    const foreign = {
      ...FOREIGN,
      AWS_PROFILE: "prod",
      TF_VAR_x: "1",
      CLUSTER: "prod.yaml",
      NOMAD_TOKEN: "x",
    };
    const without = withoutForeignSettings({ ...kept, ...foreign });
    expect(without).toEqual(Object.fromEntries(Object.keys(foreign).map((name) => [name, undefined])));
  });

  test("gives a group another image under a name that is one", () => {
    expect(nextImage("ami-0aaa")).toBe("ami-0aaa-next");
    expect(nextImage("ami-0aaa-next")).toBe("ami-0aaa");
    expect(nextImage("x".repeat(128))).toBe(`${"x".repeat(123)}-next`);
  });
});

const rehearse = (args: readonly string[], env: Readonly<Record<string, string | undefined>>) =>
  execa(process.execPath, [ROLLOUT, "rehearse", ...args], {
    cwd: folder,
    // Jest may force colours on what its workers start.
    env: { NODE_OPTIONS: "", FORCE_COLOR: undefined, CHECKPOINT_DISABLE: "1", ...env, TMPDIR: folder },
    reject: false,
  });

/** What lies in the folder of temporary files, and how many processes belong to machines in it. */
async function left(): Promise<{ files: string[]; processes: number }> {
  return {
    files: (await readdir(folder)).sort(),
    processes: markedProcesses((marker) => marker.startsWith(folder)).length,
  };
}

/** Resolves once a text was printed; a run that ends before fails the test. */
async function printed(run: ReturnType<typeof rehearse>, text: string): Promise<void> {
  let seen = "";
  const ended = run.then(({ stderr }) => {
    throw new Error(`it ended before it said ${text}: ${stderr}`);
  });
  while (!seen.includes(text)) {
    const chunks: unknown[] = await Promise.race([once(run.stderr, "data"), ended]);
    seen += chunks.map(String).join("");
  }
  ended.catch(() => undefined);
}
