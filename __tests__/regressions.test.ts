import { expect, test } from "@jest/globals";
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { Ssh } from "../clients/ssh/ssh.js";
import { parseAddress } from "../cluster/address.js";
import {
  change,
  deployedAs,
  localSpec,
  poolOf,
  refusal,
  resourcesOf,
  smallSpec,
} from "./support/fixtures.js";
import { hostNumber } from "../rollout/observation/host-of.js";
import { nextLeave } from "../rollout/leave/next-leave.js";
import { readiness } from "../rollout/ready/readiness.js";
import { expecting, known, nodeOf, observed, orderOf, pick } from "./rollout/observed.js";
import { run } from "./rollout/leave/model.js";

// What went wrong in the tool that this one replaces, line by line.

test("broker-1 is not broker-10: names are compared whole, never by their beginning", () => {
  expect(hostNumber("broker-1", "broker-10-0")).toBeUndefined();
  expect(hostNumber("broker-1", "broker-1-0-config-consul")).toBeUndefined();
  expect(hostNumber("broker-1", "broker-1-10")).toBe(10);
  const world = observed((one) => {
    known(one.nomad.nodes).push(nodeOf("broker-10-0"), nodeOf("broker-1-10"), nodeOf("my-broker-1-0"));
  });
  expect(nextLeave(world, orderOf("broker-1"))).toMatchObject({
    step: { nodes: [{ host: "broker-1-0" }, { host: "broker-1-1" }, { host: "broker-1-10" }] },
  });
});

test("a host of a group is that group's name, a hyphen and a number, and nothing else", () => {
  fc.assert(
    fc.property(fc.constantFrom("broker-0", "broker-1", "b-1"), fc.string(), (group, rest) => {
      const isHost = /^-(0|[1-9][0-9]{0,5})$/.test(rest);
      expect(hostNumber(group, `${group}${rest}`) !== undefined).toBe(isHost);
    }),
  );
});

test("hosts are not drained one after another: all of a group are ineligible before the first drain, then all drain", () => {
  const { log } = run(observed(), orderOf("broker-0"));
  expect(log.filter((line) => /^(mark|drain)/.test(line))).toEqual([
    "mark-ineligible broker-0-0, broker-0-1",
    "drain broker-0-0, broker-0-1",
  ]);
});

test("refuses an empty list of hosts as a success: Consul's leave really runs", () => {
  const empty = observed((one) => {
    one.consul.members = [];
    one.consul.catalog = [];
    one.nomad.nodes = [];
  });
  expect(nextLeave(empty, orderOf("broker-0", { hosts: [] }))).toMatchObject({ kind: "blocked" });
  expect(run(observed(), orderOf("broker-0")).log).toContain("consul-leave broker-0-0, broker-0-1");
});

test(`refuses "there is a leader" and "Healthy" as readiness: voters are counted, the new one among them`, () => {
  const world = observed((one) => {
    one.consul.raft = known(one.consul.raft).filter(({ name }) => name !== "consul-server-2-0");
    const autopilot = known(one.consul.autopilot);
    autopilot.servers = autopilot.servers.filter(({ name }) => name !== "consul-server-2-0");
    autopilot.failureTolerance = 0;
    pick(one.agents, "consul-server-2-0").consul = { nodeId: "new-id" };
  });
  expect(known(world.consul.autopilot).healthy).toBe(true);
  expect(known(world.consul.raft).some(({ leader }) => leader)).toBe(true);
  const { passed, conditions } = readiness(world, expecting("consul-server-2", { image: "ami-0aaa" }));
  expect(passed).toBe(false);
  expect(conditions.filter(({ status }) => status === "unmet").map(({ name }) => name)).toEqual(
    expect.arrayContaining(["new-id-votes", "voters", "failure-tolerance", "servers-stable"]),
  );
});

test("nothing is forced: a drain has a deadline, which lets jobs migrate by their own settings", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 604_800 }),
      fc.constantFrom("fail", "accept"),
      (seconds, onDeadline) => {
        const order = orderOf("broker-0", { drain: { deadlineSeconds: seconds, onDeadline } });
        const drains = run(observed(), order).before.flatMap((world) => {
          const next = nextLeave(world, order);
          return next.kind === "step" && next.step.action === "drain" ? [next.step] : [];
        });
        expect(drains.map(({ drainDeadlineSeconds }) => drainDeadlineSeconds)).toEqual([seconds]);
      },
    ),
    { numRuns: 10 },
  );
});

test("a run that broke off half-way through a group is taken up where it is, and nothing is done twice", () => {
  const order = orderOf("broker-0");
  const { before } = run(observed(), order);
  const half = before.at(2);
  if (!half) throw new Error("the run was too short");
  expect(run(half, order).log.filter((line) => /^(mark|drain)/.test(line))).toEqual([]);
});

test("config_consul is one kind of a group's member, whatever else has these letters in its name", () => {
  expect(parseAddress("null_resource.broker-1-0-config-consul")?.kind).toBe("config-consul");
  expect(parseAddress("null_resource.config-consul-1-0-lb-drained")).toMatchObject({
    pool: "config-consul",
    kind: "lb-drained",
  });
  expect(parseAddress("null_resource.my-config_consul")).toBeUndefined();
});

test("config_consul has triggers: its own machine, and every Consul server", () => {
  const spec = smallSpec();
  const view = resourcesOf(spec, deployedAs(spec), "broker-0");
  expect(view.get("terraform_data.broker-0-0-config-consul")).toMatchObject({
    triggers_replace: {
      host: "${terraform_data.broker-0-0.id}",
      servers: [0, 1, 2].map((index) => `\${terraform_data.consul-server-${String(index)}-0.id}`).join(","),
    },
  });
});

test("refuses two groups at once", () => {
  const spec = change(smallSpec(), (edited) => {
    poolOf(edited, "broker").images = ["v2", "v2", "v1"];
  });
  expect(refusal(spec, deployedAs(smallSpec()), "broker-0")).toContain("one-group: 2 groups are pending");
});

test("a data volume outlives its machine: it cannot be destroyed, and a roll does not touch it", () => {
  const spec = change(localSpec(), (edited) => {
    poolOf(edited, "broker").images[0] = "v2";
  });
  const view = resourcesOf(spec, deployedAs(localSpec()), "broker-0");
  for (const host of [0, 1, 2]) {
    expect(view.get(`terraform_data.broker-0-${String(host)}-data`)).toMatchObject({
      lifecycle: { prevent_destroy: true },
      input: { sizeGib: 100, type: "gp3" },
    });
  }
});

test("host keys are checked, nothing is asked, and no secret is an argument", () => {
  const env = { CONSUL_HTTP_TOKEN: "s3cret-1", NOMAD_TOKEN: "s3cret-2", HOME: "/home/ops" };
  const command = new Ssh({ env }).command("10.0.0.7", ["true"]);
  const all = command.args.join(" ");
  expect(all).toContain("StrictHostKeyChecking=yes");
  expect(all).toContain("BatchMode=yes");
  expect(JSON.stringify(command)).not.toMatch(/s3cret/);
});

interface Source {
  readonly file: string;
  readonly text: string;
}

/** The product: every file below a room that holds TypeScript, and the program's own beside them. */
function sources(): Source[] {
  const root = new URL("../", import.meta.url);
  const filesIn = (folder: string): string[] =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" }).map((file) => folder + file);
  const rooms = readdirSync(root, { withFileTypes: true })
    .filter((each) => each.isDirectory() && !OTHER_FOLDERS.test(each.name))
    .map(({ name }) => `${name}/`);
  return ["main.ts", "index.ts", ...rooms.flatMap(filesIn)]
    .filter((file) => file.endsWith(".ts"))
    .map((file) => ({ file, text: readFileSync(new URL(file, root), "utf8") }));
}

const OTHER_FOLDERS = /^(\..*|__tests__|bench|cdktf\.out|coverage|dist|docs|node_modules|packages|scripts)$/;

test("nothing taints: what is to be replaced is declared, and of a state nothing but reading is asked", () => {
  const called = sources().flatMap(
    ({ text }) => text.match(/\[\s*"(taint|untaint|import|force-unlock|state)",\s*("\w+")?/g) ?? [],
  );
  expect(called).toEqual(['["state", "pull"']);
});

test("nothing is cast by way of unknown: what is promised to be three is made of three", () => {
  const cast = sources().filter(({ text }) => /\bas unknown as\b/.test(text));
  expect(cast.map(({ file }) => file)).toEqual([]);
});

test("what a platform's resources and attributes are called is said in cluster and constructs, so a third one touches these two", () => {
  const said = sources().filter(
    ({ file, text }) => !/^(cluster|constructs)\//.test(file) && OF_A_PLATFORM.test(withoutComments(text)),
  );
  expect(said.map(({ file }) => file).sort()).toEqual([
    // What AWS's own interface answers, and not a resource of Terraform's.
    "clients/aws/ec2-launch.ts",
    "clients/aws/ec2.ts",
    // Data sources of the user's own, of any provider: those that only read, and one that runs a function.
    "guard/own-blocks.ts",
  ]);
});

test("the guard, the views and the readers of a state do not ask which platform it is", () => {
  const asked = sources().filter(
    ({ file, text }) =>
      /^(guard|stacks|clients\/state)\//.test(file) &&
      /platform\w* [!=]== "|case "(aws|local)"/.test(withoutComments(text)),
  );
  expect(asked.map(({ file }) => file)).toEqual([]);
});

const OF_A_PLATFORM =
  /\baws_[a-z]|\bnull_resource\b|\bterraform_data\b|\bami\b(?!-)|\b(instance_type|user_data|subnet_id|availability_zone|triggers_replace)\b|rollout:[a-z]|\binput\??\.(image|sizeGib|cluster|revisions)\b/;

const withoutComments = (text: string): string => text.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
