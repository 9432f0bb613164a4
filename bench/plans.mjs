/**
 * Writes a plan of any size, with the spec and the state that it is judged against:
 * `node bench/plans.mjs FOLDER accepted|rejected POOLS HOSTS`. It is a plan that the real Terraform made on AWS, its client
 * pool copied until there are POOLS of them, with HOSTS hosts in each group (`2,2,1`). The accepted plan replaces all
 * machines of broker-0, its twin those of broker-1 as well. The same arguments write the same bytes.
 */
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { GroupCopy, ownIds } from "./group-copy.mjs";

const FIXTURES = new URL("../__tests__/guard/plan/fixtures/", import.meta.url);
const RECORDED = { accepted: "aws-roll-clients", rejected: "aws-two-groups" };
const POOL = "broker";
/** Nothing happens to this group in either plan: groups of further pools are copies of it. */
const UNCHANGED = 2;

/**
 * @param verdict what the guard is to say: accepted or rejected
 * @param pools how many client pools the cluster has, at least 1
 * @param hosts how many hosts each group of them has: `[2, 2, 1]`
 * @returns the file of the plan, how many bytes it has and how many resources
 */
export function writePlan(folder, { verdict, pools, hosts }) {
  const { plan, state, spec } = recordingOf(verdict);
  const recorded = [0, 1, 2].map((index) => recordedGroup(plan.resource_changes, index));
  const own = recorded.map((from, index) => new GroupCopy(from, { ...from, hosts: hosts[index] }));
  const furtherGroups = further(pools).flatMap((pool) =>
    recorded.map(({ index, zone, subnetId }) => ({
      name: `${pool}-${index}`,
      pool,
      index,
      zone,
      subnetId,
      hosts: hosts[index],
    })),
  );
  const copies = { own, further: furtherGroups.map((to) => new GroupCopy(recorded[UNCHANGED], to)) };

  const bases = [
    plan.variables.rollout_base.value,
    plan.configuration.root_module.variables.rollout_base.default,
  ];
  for (const base of bases) for (const { name } of furtherGroups) base[name] = 1;

  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "cluster.yaml"), specText(spec, pools, hosts));
  const inState = { document: state, lists: [[state, "resources"]], indent: 2 };
  write(join(folder, "terraform.demo.tfstate"), textOf(inState, copies));
  const resources = [...copied(plan.resource_changes, copies)].length;
  const file = join(folder, `${verdict}.json`);
  const lists = [
    [plan.planned_values.root_module, "resources"],
    [plan, "resource_changes"],
    [plan.prior_state.values.root_module, "resources"],
    [plan.configuration.root_module, "resources"],
  ];
  return { file, bytes: write(file, textOf({ document: plan, lists }, copies)), resources };
}

function recordingOf(verdict) {
  const name = RECORDED[verdict];
  const bytes = (file) => readFileSync(new URL(file, FIXTURES));
  const json = (file) => JSON.parse(gunzipSync(bytes(file)).toString());
  const { state, spec } = JSON.parse(bytes("cases.json").toString())[name];
  return {
    plan: json(`plans/${name}.json.gz`),
    state: json(`states/${state}.json.gz`),
    spec: bytes(`specs/${spec}.yaml`).toString(),
  };
}

function recordedGroup(entries, index) {
  const name = `${POOL}-${index}`;
  const { before } = entries.find(({ address }) => address === `aws_instance.${name}-0`).change;
  const { availability_zone: zone, subnet_id: subnetId, id: instanceId } = before;
  return { name, pool: POOL, index, zone, subnetId, instanceId, ids: ownIds(entries, name) };
}

/** The names of the pools beside the recorded one: `batch-aa`, `batch-ab`, since no part of a name may be a number. */
function further(pools) {
  const letter = (index) => String.fromCharCode(97 + (index % 26));
  return Array.from({ length: pools - 1 }, (_, index) => {
    return `batch-${letter(index / 26 / 26)}${letter(index / 26)}${letter(index)}`;
  });
}

/** The recorded pool stands last in its spec. */
function specText(recorded, pools, hosts) {
  const spec = `${recorded.trimEnd()}\n    hosts: [${hosts.join(", ")}]\n`;
  const block = spec.slice(spec.indexOf(`  ${POOL}:\n`)).replaceAll("ami-0bbb", "ami-0aaa");
  return (
    spec +
    further(pools)
      .map((pool) => block.replace(POOL, pool))
      .join("")
  );
}

/** The entries of a list with those of the copies, each as JSON. */
function* copied(entries, { own, further }) {
  for (const entry of entries) {
    const copy = own.find((each) => each.has(entry));
    if (copy) yield* copy.of(entry);
    else yield JSON.stringify(entry);
  }
  for (const copy of further) for (const entry of entries) if (copy.has(entry)) yield* copy.of(entry);
}

/** The text of a document, part by part, with the copies in these lists of it. */
function* textOf({ document, lists, indent }, copies) {
  const entries = lists.map(([parent, key]) => parent[key]);
  for (const [parent, key] of lists) parent[key] = ["<entries>"];
  const parts = JSON.stringify(document, null, indent).split('"<entries>"');
  for (const [index, part] of parts.entries()) {
    yield part;
    let separator = "";
    for (const text of copied(entries[index] ?? [], copies)) {
      yield separator + (indent === undefined ? text : indented(text, indent));
      separator = indent === undefined ? "," : ",\n    ";
    }
  }
  if (indent !== undefined) yield "\n";
}

/** As it stands in a list of a document that is indented. */
const indented = (text, indent) => JSON.stringify(JSON.parse(text), null, indent).replaceAll("\n", "\n    ");

const CHUNK = 1 << 20;

/** @returns how many bytes were written */
function write(path, texts) {
  const file = openSync(path, "w");
  let bytes = 0;
  let chunk = "";
  for (const text of texts) {
    chunk += text;
    if (chunk.length < CHUNK) continue;
    bytes += writeSync(file, chunk);
    chunk = "";
  }
  bytes += writeSync(file, chunk);
  closeSync(file);
  return bytes;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , folder, verdict, pools, hosts] = process.argv;
  if (hosts === undefined)
    throw new Error("usage: node bench/plans.mjs FOLDER accepted|rejected POOLS HOSTS");
  console.log(writePlan(folder, { verdict, pools: Number(pools), hosts: hosts.split(",").map(Number) }));
}
