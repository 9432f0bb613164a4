import { copyFileSync, existsSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import * as z from "zod";
import { REMEDIES, type RemedyId } from "../../scripts/remedies.js";
import { describeReal } from "../support/environment.js";
import { longTest } from "../support/long.js";
import { until } from "./running-deploy.js";
import { SimulatedDemo } from "./simulated-demo.js";
import { smallSpec } from "./small-spec.js";
import { Workspace, type Outcome } from "./workspace.js";

/** Where the situation of each remedy is played: below by its title, or in another file, by what stands there. */
const PLAYED: Readonly<Record<RemedyId, readonly string[] | { readonly in: string; readonly by: string }>> = {
  deploy: [
    "deploy: a machine that died keeps another group from its roll",
    "deploy: a record that is lost keeps the view cluster from its apply",
  ],
  "deploy-cluster": ["deploy-cluster: a pool that was created in part"],
  undo: ["undo: a machine that never comes back"],
  restart: [
    "restart: a machine of which only Nomad's agent is gone",
    "restart: a group that was set back after its leave had begun",
  ],
  resume: ["resume: somebody has paused the cluster"],
  cancel: ["cancel: what was wanted is wanted no more"],
  gc: { in: "__tests__/cli/gc.real.test.ts", by: "removes it when told to, and nothing else" },
  retire: ["retire: a pool that was taken out of the spec"],
  destroy: {
    in: "__tests__/deploy/no-agents.real.test.ts",
    by: "also where one before was cut off and a group is in flight",
  },
  "set-image": ["set-image: a group that has nothing to go back to"],
  checks: {
    in: "__tests__/deploy/checks.real.test.ts",
    by: "a broker out of sync since yesterday is refused",
  },
  untaint: [
    "untaint: a tainted leave",
    "untaint: a tainted stop-agents",
    "untaint: a tainted revision",
    "untaint: a tainted data volume",
  ],
  import: {
    in: "__tests__/deploy/plan-group-aws.real.test.ts",
    by: "takes a data volume back by the command that it names",
  },
  "state-rm": [
    "state-rm: something that only has the name of a member",
    "state-rm: %s has lost its quorum, and two machines are gone for good",
  ],
  "force-unlock": { in: "__tests__/deploy/s3-bucket.ts", by: '["force-unlock", "-force", ID]' },
  "restore-state": ["restore-state: a state of no content"],
  "start-agent": ["start-agent: a quorum that is lost"],
  "end-drain": ["end-drain: a node that somebody drains"],
  "make-eligible": ["make-eligible: a node that somebody has made ineligible"],
  "remove-consul-peer": { in: "__tests__/rollout/schedules/schedule.ts", by: "remove-peer -id=" },
  "remove-nomad-peer": { in: "__tests__/rollout/schedules/schedule.ts", by: "remove-peer -peer-id=" },
  "end-machine": { in: "__tests__/deploy/ec2-kill-demo.ts", by: "run: aws ec2 terminate-instances" },
};

const own = readFileSync(fileURLToPath(import.meta.url), "utf8");
const root = fileURLToPath(new URL("../..", import.meta.url));

test.each(Object.keys(REMEDIES) as RemedyId[])("the remedy %s is played", (id) => {
  const played = PLAYED[id];
  if ("in" in played) expect(readFileSync(join(root, played.in), "utf8")).toContain(played.by);
  else for (const title of played) expect(own.split(JSON.stringify(title)).length).toBeGreaterThan(2);
});

/** The one command of a kind that an output names, as it stands there. */
function said(id: RemedyId, { output }: Pick<Outcome, "output">, ...more: readonly string[]): string {
  const words = [REMEDIES[id], ...more].join(" ");
  const [command] = new RegExp(words).exec(output) ?? [];
  if (command === undefined) throw new Error(`${words} is not said:\n${output}`);
  return command;
}

const wordsAfter = (prefix: string, command: string): string[] =>
  command.slice(prefix.length).trim().split(" ");

describeReal("What the program says to do about agents and machines, done", ["terraform"], (real) => {
  let demo: SimulatedDemo;
  let images = 0;

  beforeAll(async () => {
    demo = await SimulatedDemo.create(real);
  });

  afterAll(() => demo.remove());

  /** `rollout …` as an operator types what was said. */
  const type = (command: string, ...more: string[]): Promise<Outcome> =>
    demo.workspace.rollout([...wordsAfter("rollout", command), ...more], {
      CDKTF_OUTDIR: demo.workspace.output,
    });

  const deploy = (group: string): Promise<Outcome> =>
    type(`rollout deploy ${group}`, "--yes", "--confirm", group);

  /** Another group has to be rolled, whose preflight looks at all others. */
  const wanted = async (group: string): Promise<void> => {
    const image = `ami-0c${String(++images).padStart(3, "0")}`;
    expect(await type(`rollout set image ${group}=${image}`)).toMatchObject({ exitCode: 0 });
  };

  const get = async (product: "consul" | "nomad", path: string): Promise<unknown> => {
    const bases = demo.machines.endpoints()[product].split(",");
    return Promise.any(
      bases.map(async (base) => {
        const response = await fetch(`${base}${path}`);
        if (!response.ok) throw new Error(await response.text());
        return response.json();
      }),
    );
  };

  const node = async (host: string): Promise<z.output<typeof nodes>[number]> => {
    const found = nodes.parse(await get("nomad", "/v1/nodes")).find(({ Name }) => Name === host);
    if (!found) throw new Error(`no node ${host}`);
    return found;
  };

  const tellNomad = async (path: string, body: unknown): Promise<void> => {
    const [base = ""] = demo.machines.endpoints().nomad.split(",");
    const response = await fetch(`${base}${path}`, { method: "PUT", body: JSON.stringify(body) });
    if (!response.ok) throw new Error(await response.text());
  };

  const expectWhole = async (...groups: string[]): Promise<void> => {
    for (const group of groups)
      expect(await deploy(group)).toEqual({
        exitCode: 0,
        output: `${group}: nothing to do, it is as desired`,
      });
    expect(await demo.workspace.status()).toMatchObject({ phase: "healthy", next: null });
  };

  test("deploy: a machine that died keeps another group from its roll", async () => {
    await wanted("broker-1");
    await demo.tell("/machines/broker-0-1", {}, "DELETE");
    await until("its node is down", async () => (await node("broker-0-1")).Status === "down");
    await until("Consul has noticed", async () => (await deploy("broker-1")).output.includes("failed"));
    const refused = await deploy("broker-1");
    expect(refused).toMatchObject({ exitCode: 1 });

    const mended = await type(said("deploy", refused, "broker-0"), "--yes");

    expect(mended.output).toContain(
      "broker-0-1 is dead, so it is to be replaced: its Consul agent is failed, its node is down",
    );
    expect(mended.output).toContain("broker-0: 1 machine is replaced");
    expect(mended).toMatchObject({ exitCode: 0 });
    expect(await deploy("broker-1")).toMatchObject({ exitCode: 0 });
    await expectWhole("broker-0", "broker-1");
  });

  longTest.each(["nomad-server-1", "consul-server-1"])(
    "deploy: %s has died, and all machines are told of a Consul server's successor",
    async (group) => {
      await demo.tell(`/machines/${group}-0`, {}, "DELETE");
      await until("Consul has noticed", async () => {
        const members = z.array(z.object({ Name: z.string(), Status: z.number() }));
        const all = members.parse(await get("consul", "/v1/agent/members"));
        return all.find(({ Name }) => Name === `${group}-0`)?.Status !== 1;
      });
      // It can be told all the same.
      const { ID } = await node("broker-2-0");
      const may = (Eligibility: string): Promise<void> =>
        tellNomad(`/v1/node/${ID}/eligibility`, { Eligibility });
      if (group.startsWith("consul")) await may("ineligible");
      let mended = await deploy(group);
      await until("it is seen", async () => {
        if (!mended.output.endsWith("it is as desired")) return true;
        mended = await deploy(group);
        return false;
      });

      expect(mended.output).toContain(`${group}-0 is dead, so it is to be replaced: its Consul agent is `);
      const told = group.startsWith("consul") ? "10 machines are" : "1 machine is";
      expect(mended.output).toContain(`config_consul: ${told} told of the Consul servers`);
      expect(mended).toMatchObject({ exitCode: 0 });
      expect((await node("broker-2-0")).SchedulingEligibility).toBe(
        group.startsWith("consul") ? "ineligible" : "eligible",
      );
      await may("eligible");
      await expectWhole(group);
    },
  );

  longTest("deploy: a Consul server and a client have died, and the client comes first", async () => {
    for (const host of ["consul-server-1-0", "broker-1-0"])
      await demo.tell(`/machines/${host}`, {}, "DELETE");
    let refused = await deploy("consul-server-1");
    await until("both are seen", async () => {
      if (refused.output.includes("broker-1-0")) return true;
      refused = await deploy("consul-server-1");
      return false;
    });
    expect(refused).toMatchObject({
      exitCode: 1,
      output: expect.stringMatching(
        /^consul-server-1 cannot be rolled now, since every machine is told of its successor:\n +broker-1-0: is not well, .*make broker-1 whole before consul-server-1 is rolled: .*npx rollout deploy broker-1/m,
      ),
    });

    for (const group of ["broker-1", "consul-server-1"]) {
      expect(await deploy(group)).toMatchObject({ exitCode: 0 });
      await expectWhole(group);
    }
  });

  longTest("restart: a machine of which only Nomad's agent is gone", async () => {
    await demo.tell("/machines/broker-0-0/kill", { product: "nomad" });
    await until("its node is down", async () => (await node("broker-0-0")).Status === "down");

    const refused = await deploy("broker-0");

    expect(refused).toEqual({
      exitCode: 1,
      output:
        "broker-0-0 is not well: its node is down; sudo systemctl start nomad on broker-0-0, or replace its machines: rollout restart broker-0",
    });
    const edited = await type(said("restart", refused, "broker-0"));
    expect(await type(said("deploy", edited, "broker-0"), "--yes")).toMatchObject({ exitCode: 0 });
    await expectWhole("broker-0");
  });

  longTest("restart: a group that was set back after its leave had begun", async () => {
    const before = await demo.workspace.read();
    await wanted("broker-0");
    const run = demo.start("broker-0");
    await run.see({ in: "driver", text: / drain: / });
    await run.send("driver", "SIGKILL");
    await run.end();
    await demo.quiet();
    await demo.workspace.write(before);
    const status = await type("rollout status");

    const edited = await type(said("restart", status, "broker-0"));

    expect(await type(said("deploy", edited, "broker-0"), "--yes")).toMatchObject({ exitCode: 0 });
    await expectWhole("broker-0");
  });

  longTest("untaint: a tainted stop-agents", async () => {
    const address = "terraform_data.broker-1-0-stop-agents";
    await demo.workspace.synth({ ROLLOUT_GROUP: "broker-1" });
    expect(await demo.workspace.terraformText("broker-1", ["taint", address])).toMatchObject({ exitCode: 0 });
    const refused = await deploy("broker-1");
    expect(refused).toMatchObject({ exitCode: 1 });

    const words = said("untaint", refused, address).split(" ");
    expect(await demo.workspace.terraformText("broker-1", words)).toMatchObject({ exitCode: 0 });

    expect(await deploy("broker-1")).toMatchObject({ exitCode: 0 });
    await expectWhole("broker-1");
  });

  longTest("start-agent: a quorum that is lost", async () => {
    await wanted("broker-1");
    const lost = ["consul-server-0-0", "consul-server-2-0"];
    for (const host of lost) await demo.tell(`/machines/${host}/kill`, { product: "consul" });
    let refused = await deploy("broker-1");
    await until("both are missed", async () => {
      if (lost.every((host) => refused.output.includes(`start consul on ${host}`))) return true;
      refused = await deploy("broker-1");
      return false;
    });
    expect(refused).toMatchObject({ exitCode: 1 });

    for (const host of lost) {
      const [product] = wordsAfter(
        REMEDIES["start-agent"],
        said("start-agent", refused, `consul on ${host}`),
      );
      await demo.tell(`/machines/${host}/start-agent`, { product });
    }

    await until(
      "there is a leader",
      async () => (await get("consul", "/v1/status/leader").catch(() => "")) !== "",
    );
    expect(await deploy("broker-1")).toMatchObject({ exitCode: 0 });
    await expectWhole("broker-1", "consul-server-0", "consul-server-2");
  });

  longTest.each(["consul", "nomad"])(
    "state-rm: %s has lost its quorum, and two machines are gone for good",
    async (product) => {
      const lost = [0, 1].map((index) => `${product}-server-${String(index)}`);
      for (const group of lost) await demo.tell(`/machines/${group}-0`, {}, "DELETE");
      const both = lost.map((group) => `${group}-0 is failed`).join(", ");
      for (const group of lost) {
        let refused = await deploy(group);
        await until("both are missed", async () => {
          if (refused.output.includes(both)) return true;
          refused = await deploy(group);
          return false;
        });
        expect(refused).toMatchObject({
          exitCode: 1,
          output: expect.stringContaining(
            `make ${product}-server-2-0 the only peer, as docs/how-to/11-quorum-is-lost.md says, and run this again`,
          ),
        });
      }

      // As the page says, by `peers.json`.
      await demo.tell("/cluster-faults", { fault: "only-peer", product, machine: `${product}-server-2-0` });
      await until("it leads", async () =>
        z
          .object({ Servers: z.array(z.object({ Leader: z.boolean() })) })
          .parse(await get(product === "consul" ? "consul" : "nomad", "/v1/operator/raft/configuration"))
          .Servers.some(({ Leader }) => Leader),
      );
      const [refused, same] = [await deploy(lost[0] ?? ""), await deploy(lost[1] ?? "")];
      expect(refused).toMatchObject({ exitCode: 1 });
      const way =
        / says: (npx rollout plan cluster --out cluster.plan), then terraform -chdir=cdktf\.out\/demo\/cluster (state rm [^,]*), then (npx rollout deploy cluster)$/;
      const [, plan = "", forget = "", create = ""] = way.exec(refused.output) ?? [];
      expect(same.output.replace(`${lost[1] ?? ""} is`, `${lost[0] ?? ""} is`)).toBe(refused.output);

      expect(await type(plan.replace("npx ", ""))).toMatchObject({ exitCode: 0 });
      expect(await demo.workspace.terraformText("cluster", forget.split(" "))).toMatchObject({ exitCode: 0 });
      expect(await type(create.replace("npx ", ""), "--yes")).toMatchObject({ exitCode: 0 });

      await expectWhole(...lost, `${product}-server-2`, "broker-1");
    },
  );

  longTest("make-eligible: a node that somebody has made ineligible", async () => {
    await wanted("broker-1");
    const { ID } = await node("broker-2-0");
    await tellNomad(`/v1/node/${ID}/eligibility`, { Eligibility: "ineligible" });
    const refused = await deploy("broker-1");
    expect(refused).toMatchObject({ exitCode: 1 });

    const [id = ""] = wordsAfter(REMEDIES["make-eligible"], said("make-eligible", refused, ID));
    await tellNomad(`/v1/node/${id}/eligibility`, { Eligibility: "eligible" });

    expect(await deploy("broker-1")).toMatchObject({ exitCode: 0 });
    await expectWhole("broker-1", "broker-2");
  });

  longTest("end-drain: a node that somebody drains", async () => {
    await wanted("broker-1");
    const { ID } = await node("broker-2-0");
    await demo.tell("/cluster-faults", { fault: "endless-drain", machine: "broker-2-0" });
    await tellNomad(`/v1/node/${ID}/drain`, { DrainSpec: { Deadline: 0, IgnoreSystemJobs: false } });
    const refused = await deploy("broker-1");
    expect(refused).toMatchObject({ exitCode: 1 });

    await demo.tell("/cluster-faults", { fault: "endless-drain", machine: "broker-2-0", on: false });
    const [id = ""] = wordsAfter(REMEDIES["end-drain"], said("end-drain", refused, ID));
    await tellNomad(`/v1/node/${id}/drain`, { DrainSpec: null, MarkEligible: true });

    expect(await deploy("broker-1")).toMatchObject({ exitCode: 0 });
    await expectWhole("broker-1", "broker-2");
  });

  longTest("undo: a machine that never comes back", async () => {
    await demo.workspace.edit(["ready: { timeout: 4h }", "ready: { timeout: 20m }"]);
    await wanted("broker-1");
    await demo.tell("/cluster-faults", { fault: "never-back", machine: "broker-1-0" });
    expect(await deploy("broker-1")).toMatchObject({ exitCode: 1 });
    const status = await type("rollout status");
    await demo.tell("/cluster-faults", { fault: "never-back", machine: "broker-1-0", on: false });

    const edited = await type(said("undo", status, "broker-1"));
    expect(await type(said("deploy", edited, "broker-1"), "--yes")).toMatchObject({ exitCode: 0 });

    await demo.workspace.edit(["ready: { timeout: 20m }", "ready: { timeout: 4h }"]);
    await expectWhole("broker-1");
  });

  longTest("resume: somebody has paused the cluster", async () => {
    await wanted("broker-1");
    expect(await type("rollout pause", "--reason", "incident 42")).toMatchObject({ exitCode: 0 });
    const refused = await deploy("broker-1");
    expect(refused).toMatchObject({ exitCode: 1 });

    expect(await type(said("resume", refused))).toMatchObject({ exitCode: 0 });

    expect(await deploy("broker-1")).toMatchObject({ exitCode: 0 });
    await expectWhole("broker-1");
  });

  longTest("cancel: what was wanted is wanted no more", async () => {
    await demo.workspace.edit(["ready: { timeout: 4h }", "ready: { timeout: 20m }"]);
    await demo.tell("/cluster-faults", { fault: "never-back", machine: "broker-0-0" });
    expect(await type("rollout deploy broker --image ami-0c99", "--yes")).toMatchObject({ exitCode: 1 });
    await demo.tell("/cluster-faults", { fault: "never-back", machine: "broker-0-0", on: false });
    expect(await deploy("broker-0")).toMatchObject({ exitCode: 0 });
    const status = await type("rollout status");
    expect(status.output).toContain("have not been given ami-0c99");

    expect(await type(said("cancel", status))).toMatchObject({ exitCode: 0 });

    expect((await type("rollout status")).output).not.toContain("have not been given");
    await demo.workspace.edit(["ready: { timeout: 20m }", "ready: { timeout: 4h }"]);
    await expectWhole("broker-0");
  });

  longTest("set-image: a group that has nothing to go back to", async () => {
    const refused = await type("rollout undo nomad-server-2");
    expect(refused).toMatchObject({ exitCode: 1 });

    const command = said("set-image", refused, "nomad-server-2=IMAGE").replace("IMAGE", "ami-0c98");
    expect(await type(command)).toMatchObject({ exitCode: 0 });

    expect(await deploy("nomad-server-2")).toMatchObject({ exitCode: 0 });
    await expectWhole("nomad-server-2");
  });

  test("deploy-cluster is refused where no state is found and Consul knows machines of this name", async () => {
    const { workspace } = demo;
    const state = await workspace.state();
    await workspace.write(
      (await workspace.read()).replace("terraform.demo.tfstate", "terraform.dmo.tfstate"),
    );
    const refused = await type("rollout deploy cluster", "--yes");
    await workspace.write(
      (await workspace.read()).replace("terraform.dmo.tfstate", "terraform.demo.tfstate"),
    );

    expect(refused).toEqual({
      exitCode: 1,
      output: expect.stringMatching(
        /^nothing is created: Consul knows machines of demo, and deployed is terraform\.dmo\.tfstate, which is empty \(a backend that is named wrong looks the same\): broker-0-0, broker-0-1, broker-1-0, .*; where this cluster is there, correct the spec's backend; where another has its name, take another name; end what is left of one that is gone$/,
      ),
    });
    expect(await workspace.state()).toEqual(state);
  });
});

const nodes = z.array(
  z.object({ ID: z.string(), Name: z.string(), Status: z.string(), SchedulingEligibility: z.string() }),
);

const SPEC = smallSpec("dataVolumes: [{ sizeGib: 1 }, { sizeGib: 1 }, { sizeGib: 1 }]");

describeReal("What the program says to do about the state, done", ["terraform"], (real) => {
  let demo: Workspace;

  beforeAll(async () => {
    demo = await Workspace.create(real, SPEC);
    await demo.roll("cluster");
    await demo.rollout(["set", "image", "broker-0=v2"]);
    expect(await deploy("broker-0")).toMatchObject({ exitCode: 0 });
  });

  afterAll(() => demo.remove());

  const deploy = (target: string): Promise<Outcome> =>
    demo.rollout(["deploy", target, "--yes"], { CDKTF_OUTDIR: demo.output });

  const expectWhole = async (): Promise<void> => {
    expect(await demo.status()).toMatchObject({ phase: "healthy", next: null });
  };

  /** Terraform as an operator types what was said: in the folder of a view, which the program has left ready for it. */
  const type = async (command: string): Promise<void> => {
    expect(existsSync(join(demo.stackFolder("broker-0"), ".terraform"))).toBe(true);
    expect(await demo.terraformText("broker-0", command.split(" "))).toMatchObject({ exitCode: 0 });
  };

  const tainted: readonly (readonly [title: string, address: string, isShort: boolean])[] = [
    ["untaint: a tainted leave", "terraform_data.broker-0-leave", true],
    ["untaint: a tainted revision", "terraform_data.broker-0-revision", false],
    ["untaint: a tainted data volume", "terraform_data.broker-0-0-data", false],
  ];
  for (const [title, address, isShort] of tainted) {
    (isShort ? test : longTest)(title, async () => {
      await type(`taint ${address}`);
      // As in a checkout that is new.
      rmSync(demo.output, { recursive: true });
      const refused = await deploy("broker-0");
      expect(refused).toMatchObject({ exitCode: 1 });

      await type(said("untaint", refused, address));

      expect(await deploy("broker-0")).toMatchObject({ exitCode: 0 });
      await expectWhole();
    });
  }

  test("state-rm: something that only has the name of a member", async () => {
    const state = await demo.state();
    const [like] = state.resources.filter(({ name }) => name === "broker-0-0-config-consul");
    if (!like) throw new Error("no config_consul");
    const stranger = { ...like, name: "broker-0-7", instances: [{ attributes: { id: "mine" } }] };
    await demo.putState({ ...state, serial: state.serial + 1, resources: [...state.resources, stranger] });
    const refused = await deploy("broker-0");
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(refused.output).toContain("terraform_data.broker-0-7 (");

    await type(said("state-rm", refused, "ADDRESS").replace("ADDRESS", "terraform_data.broker-0-7"));

    expect(await deploy("broker-0")).toMatchObject({ exitCode: 0 });
    await expectWhole();
  });

  test("restore-state: a state of no content", async () => {
    await demo.rollout(["set", "image", "broker-1=v2"]);
    expect(await deploy("broker-1")).toMatchObject({ exitCode: 0 });
    truncateSync(demo.stateFile);
    const refused = await deploy("broker-0");
    expect(refused).toMatchObject({ exitCode: 1 });
    expect((await deploy("cluster")).output).toBe(refused.output);

    const [from = "", to = ""] = wordsAfter("cp", said("restore-state", refused, "\\S+ [^;]+"));
    copyFileSync(join(demo.folder, from), join(demo.folder, to));

    // As it was before the last write, which recorded.
    expect((await demo.status()).next).toBe("npx rollout deploy broker-1");
    expect(await deploy("broker-1")).toMatchObject({ exitCode: 0 });
    await expectWhole();
  });

  longTest("deploy: a record that is lost keeps the view cluster from its apply", async () => {
    const record = "terraform_data.broker-2-revision";
    await demo.synth({ ROLLOUT_GROUP: "broker-0" });
    await type(`state rm ${record}`);
    const refused = await deploy("cluster");
    expect(refused).toEqual({
      exitCode: 1,
      output: `broker-2 is in flight (${record} is missing or empty), so nothing is created; first: rollout deploy broker-2`,
    });

    const [group = ""] = wordsAfter(REMEDIES.deploy, said("deploy", refused, "broker-2"));
    expect(await deploy(group)).toMatchObject({ exitCode: 0 });

    await expectWhole();
  });

  longTest("deploy-cluster: a pool that was created in part", async () => {
    await demo.write((await demo.read()) + NEW_POOL);
    const state = await demo.state();
    const cut = await deploy("cluster");
    expect(cut).toMatchObject({ exitCode: 0, output: expect.stringMatching(/^cluster: applied, in /m) });
    expect(state.resources.some(({ name }) => name.startsWith("web-"))).toBe(false);
    await demo.terraformText("cluster", ["taint", "terraform_data.web-0-0-config-consul"]);
    await demo.terraformText("cluster", [
      "state",
      "rm",
      "terraform_data.web-0-ready",
      "terraform_data.web-0-revision",
    ]);
    const refused = await deploy("web-0");
    expect(refused).toMatchObject({ exitCode: 1 });

    expect(said("deploy-cluster", refused)).toBe("npx rollout deploy cluster");
    expect(await deploy("cluster")).toMatchObject({ exitCode: 0 });

    expect(await deploy("web-0")).toMatchObject({ exitCode: 0 });
    await expectWhole();
    expect(await deploy("cluster")).toMatchObject({
      exitCode: 0,
      output: expect.stringMatching(/^cluster: nothing to do, it is as desired$/m),
    });
  });

  longTest("retire: a pool that was taken out of the spec", async () => {
    const spec = await demo.read();
    expect(spec).toContain(NEW_POOL);
    await demo.write(spec.replace(NEW_POOL, ""));
    const refused = await demo.rollout(["plan", "cluster"], { CDKTF_OUTDIR: demo.output });
    expect(refused).toMatchObject({ exitCode: 1 });
    await demo.write(spec);

    const retire = wordsAfter("rollout", said("retire", refused, "web"));
    expect(await demo.rollout([...retire, "--confirm", "web"])).toMatchObject({ exitCode: 0 });

    expect(await deploy("web")).toMatchObject({ exitCode: 0 });
    expect(await deploy("cluster")).toMatchObject({ exitCode: 0 });
    await expectWhole();
  });
});

const NEW_POOL = `  web: { images: [v1, v1, v1], instanceTypes: [small, small, small] }
`;
