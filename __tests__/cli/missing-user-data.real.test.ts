import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { execa } from "execa";
import { templateHash } from "../../cluster/template-hash.js";
import { statusSchema } from "../../rollout/status/status.js";

const PROGRAM = fileURLToPath(new URL("../../dist/bin/rollout.js", import.meta.url));
/** Broker-0 stands on ami-03cf127a, without user data of its own; broker-1 and -2 are new. */
const STATE = new URL("../clients/fixtures/aws.state.json", import.meta.url);

const WRONG = "there is no such file; put it there, or name another in userData";

const specWith = (images: string, userData: string): string => `name: demo
platform: aws
aws: { region: eu-west-1, vpcId: vpc-1, subnetIds: [subnet-a, subnet-b, subnet-c] }
backend: { type: local, path: demo.tfstate }
pools:
  consul-server: { images: [ami-03cf127a, ami-03cf127a, ami-03cf127a], instanceTypes: [a, a, a] }
  nomad-server: { images: [ami-03cf127a, ami-03cf127a, ami-03cf127a], instanceTypes: [a, a, a] }
  broker:
    images: ${images}
    instanceTypes: [a, a, a]
    userData: ${userData}
rollout: { pendingGroups: queue }
`;

const NEXT = "[ami-1, ami-03cf127a, ami-03cf127a]";
const BEFORE = "[ami-03cf127a, ami-03cf127a, ami-03cf127a]";

const IDENTITY = "-c user.name=a -c user.email=a@b";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-missing-"));
  const template = { image: "ami-03cf127a", instanceType: "a", generation: 0 };
  const recorded = (key: string, value: unknown): unknown =>
    key === "revisions" && Array.isArray(value) && typeof value[0] === "object"
      ? [{ ...value[0], template }]
      : value;
  const state = readFileSync(STATE, "utf8").replaceAll("0123456789", templateHash(template));
  writeFileSync(join(folder, "demo.tfstate"), JSON.stringify(JSON.parse(state, recorded)));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("status, history and undo work where a file of another group is missing, and name it", async () => {
  write(NEXT, "[null, gone.sh, null]");
  const note = `cluster.yaml: pools.broker.userData[1]: cannot read gone.sh: ${WRONG}`;
  for (const verb of ["status", "history"])
    expect(await rollout(verb)).toMatchObject({ exitCode: 0, stderr: note });
  for (const words of ["init --quiet", "add cluster.yaml", `${IDENTITY} commit --quiet --message=first`])
    await execa("git", words.split(" "), { cwd: folder });
  const undo = await rollout("undo", "broker-0");
  // Git would refuse a file that is not there.
  expect(undo.stdout).toMatch(/commit it: git add cluster\.yaml && git commit$/);
  expect(undo).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(startOf(note)) });
  expect(spec()).toBe(specWith(BEFORE, "[null, gone.sh, null]"));
});

test("a group whose file is missing is pending by that, and an undo takes it off", async () => {
  write(BEFORE, "[gone.sh, null, null]");
  const { stdout } = await rollout("status", "--format", "json");
  const { groups } = statusSchema.parse(JSON.parse(stdout));
  expect(groups.find(({ name }) => name === "broker-0")).toMatchObject({
    state: "pending",
    reason: expect.stringContaining("userData none -> gone.sh (cannot be taken)"),
  });
  expect(await rollout("undo", "broker-0")).toMatchObject({ exitCode: 0 });
  expect(spec()).toBe(specWith(BEFORE, "[null, null, null]"));
});

test("refuses what makes machines", async () => {
  write(NEXT, "[null, gone.sh, null]");
  for (const words of ["validate", "restart broker-0", "deploy broker-0 --yes"])
    expect(await rollout(...words.split(" "))).toMatchObject({
      exitCode: 2,
      stderr: `cluster.yaml: pools.broker.userData[1]: cannot read gone.sh: ${WRONG}`,
    });
});

const startOf = (text: string): RegExp => new RegExp(`^${text.replace(/[[\]().]/g, "\\$&")}`);
const spec = (): string => readFileSync(join(folder, "cluster.yaml"), "utf8");

function write(images: string, userData: string): void {
  writeFileSync(join(folder, "cluster.yaml"), specWith(images, userData));
}

/** Nobody answers for EC2. */
async function rollout(...args: string[]) {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    env: {
      ...{ CLUSTER: undefined, NODE_OPTIONS: "", CI: "true" },
      ...{ AWS_ENDPOINT_URL: "http://127.0.0.1:1", AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "x" },
    },
    reject: false,
  });
  return { exitCode, stdout, stderr };
}
