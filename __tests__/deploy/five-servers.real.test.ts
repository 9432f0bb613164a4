import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import * as z from "zod";
import { describeReal } from "../support/environment.js";
import { groupOf, groupsOf, RollDemo, rolledIn } from "./roll-demo.js";
import { applyLogs, processesIn, until } from "./running-deploy.js";
import { longTest } from "../support/long.js";
import { differenceOf, idsOf } from "./state-file.js";

const THREE = "images: [v1, v1, v1], instanceTypes: [small, small, small], bake: { time: 5s }";
/** Two applies and more in one test, on a machine that may be busy. */
const SEVERAL_ROLLS_MS = 300_000;
const FIVE = "hosts: [2, 2, 1]";

const SPEC = `pools:
  consul-server: { ${THREE}, ready: { timeout: 4h }, ${FIVE} }
  nomad-server: { ${THREE}, ready: { timeout: 4h } }
  broker: { ${THREE}, ready: { timeout: 4h } }
`;

/** One cluster with five Consul servers: each test goes on where the one before it has left it, which is whole. */
describeReal("A server pool with two servers in a group", ["terraform"], (real) => {
  let demo: RollDemo;
  let leader = "";
  let group = "";
  let seen = 0;

  /** What has happened to Consul's servers since {@link begin}. */
  const course = async (): Promise<string[]> =>
    (await demo.events()).slice(seen).flatMap(({ machine, what }) => {
      if (!machine.startsWith("consul-server-")) return [];
      const done = what === "PUT /consul/v1/agent/leave" ? "leaves" : what;
      return ["leaves", "started"].includes(done) ? [`${machine} ${done}`] : [];
    });

  const begin = async (): Promise<void> => {
    seen = (await demo.events()).length;
  };

  const voters = async (): Promise<string[]> => {
    const { Servers } = raft.parse(await demo.ask("consul", "/v1/operator/raft/configuration"));
    return Servers.flatMap(({ Node, Voter }) => (Voter ? [Node] : [])).sort();
  };

  const setEligibility = async (host: string, may: "eligible" | "ineligible"): Promise<void> => {
    const all = nodeList.parse(await demo.ask("nomad", "/v1/nodes"));
    const id = all.find(({ Name, Status }) => Name === host && Status === "ready")?.ID ?? "";
    const [server = ""] = demo.machines.endpoints().nomad.split(",");
    const body = JSON.stringify({ NodeID: id, Eligibility: may });
    const answer = await fetch(`${server}/v1/node/${id}/eligibility`, { method: "PUT", body });
    expect(answer.status).toBe(200);
  };

  beforeAll(async () => {
    demo = await RollDemo.create(real, { speed: 100, spec: SPEC });
    leader = await demo.leadBefore("consul", "consul-server-2-0");
    group = groupOf(leader);
  });

  afterAll(() => demo.remove());

  test("is created with five voters", async () => {
    expect(await voters()).toEqual(ALL);
    expect(await demo.workspace.status()).toMatchObject({ phase: "healthy" });
  });

  test("refuses to replace both at once, by cdktf, by plain Terraform, by rollout plan and rollout check", async () => {
    const { workspace } = demo;
    await demo.say("set", "image", `${group}=v2`);
    const before = await workspace.state();
    const held = `servers go one at a time, and ${group} has several, so it is not rolled by its view; first: rollout deploy ${group}`;

    expect(await workspace.deploy(group)).toMatchObject({
      exitCode: 1,
      output: expect.stringContaining(held),
    });
    expect((await workspace.terraform(group, ["plan"])).errors.join(" ").replace(/\s+/g, " ")).toContain(
      held,
    );

    const refused = `one-batch: 2 servers of ${group} would be out at once, and servers go one at a time: ${group}-0, ${group}-1; roll it by: rollout deploy ${group}`;
    const plan = join(workspace.folder, "both.plan");
    const planned = await workspace.rollout(["plan", group, "--out", plan], {
      CDKTF_OUTDIR: workspace.output,
    });
    expect(planned).toMatchObject({ exitCode: 1, output: expect.stringContaining(refused) });
    const checked = await workspace.rollout(["check", plan], { CDKTF_OUTDIR: workspace.output });
    expect(checked).toMatchObject({ exitCode: 1, output: expect.stringContaining(refused) });
    expect(await workspace.state()).toEqual(before);
  });

  test(
    "is rolled one server at a time, the leader last, and every machine is told once for each",
    async () => {
      const other = leader.endsWith("-0") ? `${group}-1` : `${group}-0`;
      const old = idsOf(await demo.workspace.state());
      const logs = applyLogs(demo.runFolder);
      await begin();

      const { exitCode, output } = await demo.start(group).end();

      expect(output).toMatch(
        new RegExp(`^the rest follows in the same roll, one server at a time: ${leader}$`, "m"),
      );
      expect(output).toMatch(new RegExp(`^${group}: rolled, revision 2, in `, "m"));
      expect(exitCode).toBe(0);
      expect(await course()).toEqual(
        [other, leader].flatMap((host) => [`${host} leaves`, `${host} started`]),
      );
      expect(await voters()).toEqual(ALL);
      const now = idsOf(await demo.workspace.state());
      expect(ALL.filter((host) => old.get(addressOf(host)) !== now.get(addressOf(host)))).toEqual(
        [leader, other].sort(),
      );
      const told = await toldIn(applyLogs(demo.runFolder).filter((file) => !logs.includes(file)));
      expect(told).toEqual(new Map(MACHINES.map((host) => [`terraform_data.${host}-config-consul`, 2])));
      expect(await demo.workspace.status()).toMatchObject({ phase: "healthy" });
      const [last] = z
        .array(z.object({ how: z.string().optional() }).loose())
        .parse(JSON.parse(await demo.say("history", group, "--format", "json")))
        .slice(-1);
      expect(JSON.stringify(last)).toContain("1 at a time");
    },
    SEVERAL_ROLLS_MS,
  );

  longTest.each(["stop-agents", "start-agents"])(
    "goes on with the one that has left where its Terraform is killed at %s",
    async (hook) => {
      leader = await demo.leadBefore("consul", "consul-server-2-0");
      group = groupOf(leader);
      const other = leader.endsWith("-0") ? `${group}-1` : `${group}-0`;
      await demo.say("set", "image", `${group}=at-${hook}`);
      await begin();
      const run = demo.start(group);
      await run.see({
        in: "driver",
        text: new RegExp(`leave: its work leaves: ${other}, while ${leader} waits`),
      });
      await run.see({ in: "terraform", text: new RegExp(`hook ${hook} ${other}`) });
      await run.send("terraform", "SIGKILL");
      expect((await run.end()).exitCode).toBe(1);
      await until("nothing of the roll runs any more", () => processesIn(demo.workspace.folder).length === 0);
      expect(await demo.workspace.status()).toMatchObject({ next: `npx rollout deploy ${group}` });

      const { exitCode, output } = await demo.start(group).end();

      expect({ exitCode, output: exitCode === 0 ? "" : output }).toEqual({ exitCode: 0, output: "" });
      const log = await course();
      // What has left leaves no second time, and what was being started may be started once more.
      expect(log.filter((line) => line.endsWith("leaves"))).toEqual([`${other} leaves`, `${leader} leaves`]);
      expect([...new Set(log)]).toEqual(
        [other, leader].flatMap((host) => [`${host} leaves`, `${host} started`]),
      );
      expect(await voters()).toEqual(ALL);
      expect(await demo.workspace.status()).toMatchObject({ phase: "healthy" });
    },
    SEVERAL_ROLLS_MS,
  );

  longTest(
    "is made anew at once where both of its machines are dead, as where a zone is lost",
    async () => {
      const before = idsOf(await demo.workspace.state());
      const both = [0, 1].map((host) => `consul-server-0-${String(host)}`);
      for (const host of both) await demo.tell(`/machines/${host}/kill`, {});
      await until("Consul sees that they are dead", async () => {
        const members = z
          .array(z.object({ Name: z.string(), Status: z.number() }))
          .parse(await demo.ask("consul", "/v1/agent/members"));
        return both.every((host) => members.some(({ Name, Status }) => Name === host && Status === 4));
      });

      const { exitCode, output } = await demo.start("consul-server-0").end();

      expect(output).toMatch(
        /consul-server-0-0 is dead, so it is to be replaced: its Consul agent is (failed|left)/,
      );
      expect(exitCode).toBe(0);
      const after = idsOf(await demo.workspace.state());
      expect(ALL.filter((host) => before.get(addressOf(host)) !== after.get(addressOf(host)))).toEqual(both);
      expect(await voters()).toEqual(ALL);
      expect(await demo.workspace.status()).toMatchObject({ phase: "healthy" });
    },
    SEVERAL_ROLLS_MS,
  );

  test(
    "becomes one of three servers, group by group, and no server that stands is touched",
    async () => {
      await demo.workspace.edit([FIVE, "hosts: [1, 1, 1]"]);
      const five = await demo.workspace.state();
      await begin();
      expect(await demo.start("consul-server").end()).toMatchObject({ exitCode: 0 });
      const fewer = await demo.workspace.state();
      expect(hostsIn(differenceOf(five, fewer))).toEqual({
        created: [],
        replaced: [],
        gone: ["consul-server-0-1", "consul-server-1-1"],
      });
      // The group of whoever leads by now comes last.
      expect((await course()).filter((line) => line.endsWith("leaves")).sort()).toEqual([
        "consul-server-0-1 leaves",
        "consul-server-1-1 leaves",
      ]);
      expect(await voters()).toEqual(groupsOf("consul-server").map((each) => `${each}-0`));
      expect(await demo.workspace.status()).toMatchObject({ phase: "healthy", next: null });
    },
    SEVERAL_ROLLS_MS,
  );

  longTest(
    "becomes one of five again, group by group, and no server that stands is touched",
    async () => {
      const fewer = await demo.workspace.state();
      await demo.workspace.edit(["hosts: [1, 1, 1]", FIVE]);
      await setEligibility("broker-0-0", "ineligible");
      const ill = await demo.start("consul-server").end();
      expect(ill).toMatchObject({ exitCode: 1, output: expect.stringContaining("broker-0-0: is not well") });
      expect(await demo.workspace.state()).toEqual(fewer);
      await setEligibility("broker-0-0", "eligible");
      seen = (await demo.events()).length;
      expect(await demo.start("consul-server").end()).toMatchObject({ exitCode: 0 });
      expect(hostsIn(differenceOf(fewer, await demo.workspace.state()))).toEqual({
        created: ["consul-server-0-1", "consul-server-1-1"],
        replaced: [],
        gone: [],
      });
      expect(rolledIn((await demo.events()).slice(seen)).sort()).toEqual([
        "consul-server-0",
        "consul-server-1",
      ]);
      expect(await voters()).toEqual(ALL);
      expect(await demo.workspace.status()).toMatchObject({ phase: "healthy", next: null });
    },
    SEVERAL_ROLLS_MS,
  );
});

const ALL = ["0-0", "0-1", "1-0", "1-1", "2-0"].map((host) => `consul-server-${host}`);
const MACHINES = [...ALL, ...[...groupsOf("nomad-server"), ...groupsOf("broker")].map((each) => `${each}-0`)];

const nodeList = z.array(z.object({ ID: z.string(), Name: z.string(), Status: z.string() }));
const raft = z.object({ Servers: z.array(z.object({ Node: z.string(), Voter: z.boolean() })) });

const addressOf = (host: string): string => `terraform_data.${host}`;

/** The hosts among the addresses. */
const hostsIn = (difference: ReturnType<typeof differenceOf>) =>
  Object.fromEntries(
    Object.entries(difference).map(([how, addresses]: [string, readonly string[]]) => [
      how,
      addresses.flatMap((address) => /^terraform_data\.([a-z-]+-\d-\d)$/.exec(address)?.[1] ?? []),
    ]),
  );

/** How often each `config_consul` was made, by what Terraform said of its applies. */
async function toldIn(files: readonly string[]): Promise<Map<string, number>> {
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
  const made = new Map<string, number>();
  for (const line of texts.join("").trim().split("\n")) {
    const { type, hook } = message.parse(JSON.parse(line));
    const address = hook?.resource?.addr ?? "";
    if (type === "apply_complete" && hook?.action === "create" && address.endsWith("-config-consul"))
      made.set(address, (made.get(address) ?? 0) + 1);
  }
  return new Map(
    [...made].sort(
      ([one], [other]) =>
        MACHINES.findIndex((host) => one.includes(host)) - MACHINES.findIndex((host) => other.includes(host)),
    ),
  );
}

const message = z.object({
  type: z.string(),
  hook: z
    .object({ action: z.string().optional(), resource: z.object({ addr: z.string() }).optional() })
    .optional(),
});
