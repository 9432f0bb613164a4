import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { runRetire, type RetireArgs } from "../../cli/retire.js";
import { layFixture } from "../guard/plan/plan-fixture.js";
import { locked, storeIn } from "../support/run-records.js";

const BROKER = { pool: "broker" };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-retire-"));
  put("no-op");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("a pool whose name was given retires, and the spec says so", async () => {
  const before = spec();
  expect(await retire({ ...BROKER, confirm: "broker" })).toMatchInlineSnapshot(`
   "broker retires (keep-volumes), as ./cluster.yaml says now; take the key out again, and it comes back
   next: npx rollout deploy broker-0"
  `);
  expect(spec()).toBe(
    before.replace(/^( +)instanceTypes: .*\n(?=.*hosts: \[2)/m, "$&$1retire: keep-volumes\n"),
  );
});

test("a pool that retires already is told what comes next, and nobody is asked", async () => {
  put("retire-group");
  expect(await retire(BROKER)).toMatchInlineSnapshot(`
   "broker retires already (keep-volumes)
   next: npx rollout deploy broker-0"
  `);
  put("retire-end");
  expect(await retire(BROKER)).toMatchInlineSnapshot(`
   "broker retires already (keep-volumes)
   next: npx rollout deploy cluster"
  `);
});

test("a pool of which nothing is left may leave the spec", async () => {
  put("retire-end");
  const state = JSON.parse(readFileSync(join(folder, "terraform.demo.tfstate"), "utf8")) as {
    resources: { name: string }[];
  };
  state.resources = state.resources.filter(({ name }) => !name.startsWith("broker-"));
  writeFileSync(join(folder, "terraform.demo.tfstate"), JSON.stringify(state));
  expect(await retire(BROKER)).toMatchInlineSnapshot(`
   "broker retires already (keep-volumes)
   next: take pools.broker out of the spec: nothing of it is in the state"
  `);
});

test("the deletion of data volumes is asked for and confirmed on its own", async () => {
  put("retire-group");
  await expect(retire({ ...BROKER, deleteVolumes: true })).rejects.toThrowErrorMatchingInlineSnapshot(`
   "broker leaves for good, group by group: 4 machines are drained and destroyed; its data volumes (4) are DELETED, with all that is on them.
   nobody can be asked here; repeat it with: --confirm broker"
  `);
  await retire({ ...BROKER, deleteVolumes: true, confirm: "broker" });
  expect(spec()).toContain("retire: delete-volumes\n");
});

test("a person who types the name is believed", async () => {
  const before = spec();
  const { answer, asked } = await typing("broker\n");
  expect(answer).toContain("broker retires (keep-volumes)");
  expect(asked).toMatchInlineSnapshot(`
   "broker leaves for good, group by group: 4 machines are drained and destroyed; its data volumes (4) leave the state and are kept.
   Type broker to go on: "
  `);
  expect(spec()).not.toBe(before);
});

test("refuses while new machines stand beside old ones, and says what comes first", async () => {
  // Its `maxSurge` may have gone from the spec meanwhile.
  const before = spec();
  const surging = before.replace("hosts: [2, 1, 1]", "hosts: [1, 1, 1]");
  writeFileSync(join(folder, "cluster.yaml"), surging);
  expect(await retire({ ...BROKER, confirm: "broker" })).toContain("broker retires");
  writeFileSync(join(folder, "cluster.yaml"), surging);
  const file = join(folder, "terraform.demo.tfstate");
  const state = JSON.parse(readFileSync(file, "utf8")) as {
    resources: { type: string; name: string; instances: { attributes: { triggers_replace: unknown } }[] }[];
  };
  const [host] = state.resources.find(({ name }) => name === "broker-0-1")?.instances ?? [];
  if (!host) throw new Error("no broker-0-1");
  host.attributes.triggers_replace = { value: "fffffffff0", type: "string" };
  writeFileSync(file, JSON.stringify(state));
  await expect(retire({ ...BROKER, confirm: "broker" })).rejects.toThrowErrorMatchingInlineSnapshot(
    `"broker-0 has more machines than its number, in the middle of its roll, so broker does not retire; first: npx rollout deploy broker-0"`,
  );
  expect(spec()).toBe(surging);
  // In the middle of a roll without a surge it has as many as it is to have.
  writeFileSync(join(folder, "cluster.yaml"), before);
  expect(await retire({ ...BROKER, confirm: "broker" })).toContain("broker retires");
});

test("refuses where nobody can be asked, where another name is given, and where the answer is no", async () => {
  const before = spec();
  await expect(retire(BROKER)).rejects.toThrowErrorMatchingInlineSnapshot(`
   "broker leaves for good, group by group: 4 machines are drained and destroyed; its data volumes (4) leave the state and are kept.
   nobody can be asked here; repeat it with: --confirm broker"
  `);
  await expect(retire({ ...BROKER, confirm: "brokers" })).rejects.toThrowErrorMatchingInlineSnapshot(
    `"--confirm names "brokers"; expected broker; nothing was changed"`,
  );
  for (const typed of ["y\n", "\n", ""]) {
    await expect(typing(typed)).rejects.toThrow("nothing was changed");
  }
  expect(spec()).toBe(before);
});

test("refuses while a run is under way, whose group would be changed beneath it", async () => {
  const before = spec();
  const lock = await locked(storeIn(folder), "rollout deploy broker-2");
  await expect(retire({ ...BROKER, confirm: "broker" })).rejects.toThrow(
    `a run is under way (rollout deploy broker-2, by ${lock.holder.by}), so broker does not retire; wait for it (rollout status --watch) or end it: rollout cancel`,
  );
  expect(spec()).toBe(before);
  await lock.release();
  expect(await retire({ ...BROKER, confirm: "broker" })).toContain("broker retires (keep-volumes)");
});

const spec = (): string => readFileSync(join(folder, "cluster.yaml"), "utf8");

const put = (name: string): void => {
  layFixture(folder, name);
};

/** Without a terminal. */
const retire = (args: RetireArgs): Promise<string> =>
  runRetire({ CLUSTER: join(folder, "cluster.yaml") }, args, {
    input: Readable.from([]),
    output: new PassThrough(),
  }).then((said) => said.replaceAll(folder, "."));

/** At a terminal, where this is typed and the input ends. */
async function typing(typed: string): Promise<{ answer: string; asked: string }> {
  const output = new PassThrough();
  const input = Object.assign(Readable.from(typed === "" ? [] : [typed]), { isTTY: true });
  const answer = await runRetire({ CLUSTER: join(folder, "cluster.yaml") }, BROKER, { input, output });
  output.end();
  return { answer, asked: await text(output) };
}
