import { readFileSync, writeFileSync } from "node:fs";
import { Document, visit } from "yaml";
import type { PlanSummary } from "../../rollout/plan-summary.js";
import { parseAddress } from "../../spec/address.js";
import type { Deployed } from "../../spec/deployed.js";
import { groupsOf, poolsOf } from "../../spec/groups.js";
import type { Spec } from "../../spec/schema.js";
import { formatPlan } from "../format-plan.js";
import { buildApp, loadProgram, type Program } from "../program.js";
import { readSpec } from "../read-spec.js";
import { refusalOf } from "../report-failure.js";
import { runSetImage } from "../set-image.js";
import { count, difference, hostsOf, machineIds, replacedMachines } from "./checks.js";
import { deployView, type ApplyEvent } from "./deploy.js";
import { changedLines, formatCreation, formatRoll, formatSeconds } from "./text.js";

/** What a step works with: its working folder is the scratch folder. */
export interface Walk {
  /** Prints lines beside a label. */
  readonly say: (label: string, ...lines: readonly string[]) => void;
  readonly stop: AbortSignal;
}

export interface Step {
  readonly title: string;
  /** Returns what was not as it should be; nothing, when all was. */
  readonly run: (walk: Walk) => Promise<string[]>;
}

const FILE = "cluster.yaml";
const OUTDIR = "cdktf.out";

/** The main job: create a cluster, roll a group of clients, roll a Consul server, be refused. */
export const STEPS: readonly Step[] = [
  { title: "Create the example cluster", run: createExample },
  { title: "Change the image of broker-0, and roll that group", run: rollBrokers },
  { title: "Change one Consul server: every machine must learn of the new one", run: rollConsulServer },
  { title: "Change two groups at once", run: beRefused },
];

async function createExample(walk: Walk): Promise<string[]> {
  writeFileSync(FILE, localSpecText(readSpec({}).spec));
  const program = await load("the example");
  const groups = groupsOf(program.spec);
  const hosts = groups.reduce((sum, group) => sum + group.hosts, 0);
  walk.say(
    "spec",
    `${FILE}, the example on platform: local: ${String(poolsOf(program.spec).length)} pools of three groups, ${String(hosts)} machines`,
  );
  const { after } = await deploy(program, "cluster", walk, {
    plan: (summary) => describeCreation(summary, program.spec),
    apply: formatCreation,
  });
  return [
    ...difference("machines", machineIds(after).size, hosts),
    ...difference("views on offer", (await load()).views, ["cluster"]),
  ];
}

async function rollBrokers(walk: Walk): Promise<string[]> {
  const program = await changeImages(walk, "broker-0=ami-0bbb");
  const { events, after } = await deploy(program, "broker-0", walk, ROLL);
  const replaced = replacedMachines(program.deployed, after);
  const images = after.groups.get("broker-0")?.hosts.map(({ image }) => image);
  const volumes = events.filter(({ address }) => parseAddress(address)?.kind === "data");
  walk.say(
    "result",
    ...resultOf(replaced, after),
    `data volumes that were changed or replaced: ${String(volumes.length)}`,
  );
  return [
    ...difference("machines with a new id", replaced, ["broker-0-0", "broker-0-1", "broker-0-2"]),
    ...difference("images of broker-0", images, ["ami-0bbb", "ami-0bbb", "ami-0bbb"]),
    ...difference("data volumes changed", volumes, []),
    ...difference("views on offer", (await load()).views, ["cluster"]),
  ];
}

async function rollConsulServer(walk: Walk): Promise<string[]> {
  const program = await changeImages(walk, "consul-server-1=ami-0bbb");
  const { events, after } = await deploy(program, "consul-server-1", walk, ROLL);
  const replaced = replacedMachines(program.deployed, after);
  const machines = machineIds(after);
  const told = count(events, "config-consul", "create");
  const newServer = machines.get("consul-server-1-0") ?? "none";
  const knowing = hostsOf(after).filter(({ configConsul }) => configConsul?.servers.includes(newServer));
  walk.say(
    "result",
    ...resultOf(replaced, after),
    `${String(told)} of ${String(machines.size)} config_consul were refreshed; ${String(knowing.length)} name the new server`,
  );
  return [
    ...difference("machines with a new id", replaced, ["consul-server-1-0"]),
    ...difference("config_consul refreshed", told, machines.size),
    ...difference("machines that know the new server", knowing.length, machines.size),
    ...difference("views on offer", (await load()).views, ["cluster"]),
  ];
}

async function beRefused(walk: Walk): Promise<string[]> {
  const program = await changeImages(walk, "name-server-2=ami-0ccc", "broker-1=ami-0ccc");
  const start = performance.now();
  const refusal = refusalOfSynth(program);
  const seconds = (performance.now() - start) / 1000;
  walk.say("command", "npx cdktf list");
  if (refusal === undefined) return ["two groups are pending, and their views were synthesized"];
  walk.say("refused", ...refusal.split("\n"));
  walk.say("result", `synth fails after ${formatSeconds(seconds)}: nothing is planned, nothing is deployed`);
  const named = ["one-group: ", "broker-1", "name-server-2"].filter((word) => refusal.includes(word));
  return [
    ...difference("named in the refusal", named, ["one-group: ", "broker-1", "name-server-2"]),
    ...difference("the state", (await load()).deployed.origin, program.deployed.origin),
  ];
}

function refusalOfSynth(program: Program): string | undefined {
  try {
    buildApp(program, OUTDIR).synth();
    return undefined;
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return refusal;
  }
}

/** Changes the spec as `rollout set image` does, and shows the lines that change. */
async function changeImages(walk: Walk, ...assignments: readonly string[]): Promise<Program> {
  const before = readFileSync(FILE, "utf8");
  walk.say("command", `npx rollout set image ${assignments.join(" ")}`);
  runSetImage({ CLUSTER: FILE }, { assignments });
  walk.say("spec", ...changedLines(before, readFileSync(FILE, "utf8")));
  return load(`set image ${assignments.join(" ")}`);
}

const load = (cause = ""): Promise<Program> => loadProgram({ CLUSTER: FILE, ROLLOUT_CAUSE: cause });

interface Description {
  readonly plan: (summary: PlanSummary) => readonly string[];
  readonly apply: (events: readonly ApplyEvent[]) => readonly string[];
}

const ROLL: Description = { plan: describeRoll, apply: formatRoll };

async function deploy(
  program: Program,
  view: string,
  walk: Walk,
  describe: Description,
): Promise<{ events: readonly ApplyEvent[]; after: Deployed }> {
  walk.say("views", `${program.views.join(", ")} (npx cdktf list)`);
  walk.say("command", `npx cdktf deploy ${view}`);
  const { events, seconds } = await deployView(program, view, {
    outdir: OUTDIR,
    stop: walk.stop,
    onPlan: (summary) => {
      walk.say("plan", ...describe.plan(summary));
    },
  });
  walk.say("apply", ...describe.apply(events));
  const { synth, plan, apply } = seconds;
  walk.say(
    "took",
    `${formatSeconds(synth + plan + apply)}: synth ${formatSeconds(synth)}, init and plan ${formatSeconds(plan)}, apply ${formatSeconds(apply)}`,
  );
  return { events, after: (await load()).deployed };
}

/** What `rollout plan` says, without the addresses. */
function describeRoll(summary: PlanSummary): string[] {
  const [machines = "", ...rest] = formatPlan(summary).split("\n\n");
  return [...machines.split("\n"), ...(rest.at(-1) ?? "").split("\n")];
}

function describeCreation({ changes, groups }: PlanSummary, spec: Spec): string[] {
  const created = (name: string): number =>
    groups.find((group) => group.name === name)?.machines.created ?? 0;
  const pools = poolsOf(spec).map(
    (pool) => `${pool.name} ${pool.groups.map(({ name }) => created(name)).join(" + ")}`,
  );
  return [
    `machines to create, by group: ${pools.join(", ")}`,
    `Terraform: ${String(changes.length)} resources to add; a machine has hooks and disks beside it`,
  ];
}

/** The example as it is, but for the platform and where its state lies. */
function localSpecText({ name, pools, rollout }: Spec): string {
  const spec = {
    name,
    platform: "local",
    backend: { type: "local", path: `terraform.${name}.tfstate` },
    pools,
    rollout,
  };
  const document = new Document(spec);
  visit(document, {
    Seq: (_, list) => {
      list.flow = true;
    },
  });
  return document.toString({ flowCollectionPadding: false });
}

function resultOf(replaced: readonly string[], after: Deployed): string[] {
  const others = machineIds(after).size - replaced.length;
  return [`new ids: ${replaced.join(", ")}; the ids of the other ${String(others)} machines are as before`];
}
