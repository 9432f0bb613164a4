import * as z from "zod";
import { groupsOf, type Group } from "../../cluster/groups.js";
import { deployedHash, deployedHosts, isNew } from "../../cluster/pending.js";
import { templateHash } from "../../cluster/template-hash.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { durationSeconds } from "../../cluster/yaml/duration.js";
import { formatTime } from "../log/time.js";
import { readRuns } from "../log/read-runs.js";
import { rollFacts } from "../log/roll-facts.js";
import { explainGroup, explanation } from "../review/explain-group.js";
import { lastSeconds } from "../review/impact.js";
import type { Situation } from "../status/situation.js";
import type { RefusalsOf } from "../status/status.js";
import { among, mayRoll, PACE, unfinished, type Reason } from "./may-roll.js";
import { groupsToRoll, type Wanted } from "./next-group.js";

const row = z.strictObject({
  name: z.string(),
  role: z.enum(["consul-server", "nomad-server", "client"]),
  now: z.string().nullable().describe("The image of its last revision."),
  then: z.string().describe("The image, or what else changes."),
  machines: explanation.shape.machines,
  confirm: z.string().describe("The flag that says yes where nobody can be asked."),
  waits: z.array(z.string()).describe("What it waits for before it begins; empty: nothing."),
  begun: z.boolean().describe("Its roll has begun: it is finished first, whatever holds."),
  seconds: z.number().nullable().describe("How long its last roll took; null where that is not known."),
  impact: explanation.shape.impact,
});

/** What `rollout plan --all --format json` prints. */
export const wholeRollSchema = z.strictObject({
  cluster: z.string(),
  groups: z
    .array(row)
    .describe("Those that are to be rolled, in order; of servers the one that leads goes last."),
  of: z.int().describe("How many groups the cluster has."),
  seconds: z
    .number()
    .nullable()
    .describe("All in all, by the last roll of each; null where one is not known."),
  refused: z.array(z.string()).describe("What speaks against it already, with what to do."),
});

export type WholeRoll = z.output<typeof wholeRollSchema>;

/** A whole roll before it begins, from the spec, the state and the log alone; no agent is asked and no plan is made. */
export function wholeRoll(situation: Situation, wanted: Wanted, refusalsOf: RefusalsOf): WholeRoll {
  const { spec, deployed } = situation;
  const runs = readRuns(situation.events);
  const facts = rollFacts(runs, deployed);
  const seen = { ...situation, facts };
  const begun = unfinished(seen, facts).map(({ group }) => group);
  const due = groupsToRoll({ ...seen, wanted, leaders: [] });
  const first = due.find(({ name }) => !begun.includes(name))?.name;
  const rows = due.flatMap((written, place): WholeRoll["groups"] => {
    const current = deployed.groups.get(written.name);
    if (!current || isNew(current)) return [];
    const group = withImage(written, wanted);
    const { name, role } = group;
    const isBegun = begun.includes(name);
    const isPending = deployedHash(current) !== group.hash || deployedHosts(current) !== group.hosts;
    const isMoving = isBegun || isPending;
    const { change, machines, impact } = explainGroup(group, current, { spec, deployed, runs, isMoving });
    const now = current.revisions.at(-1)?.image ?? null;
    const held = name === first ? among(mayRoll(seen, [name], seen), ...PACE) : [];
    const waits = [
      ...held.map((reason) => describeWait(reason, seen)),
      ...paceAfter(due[place - 1]?.name, spec).filter((wait) => !held.some(({ id }) => wait.startsWith(id))),
    ];
    return [
      {
        ...{ name, role, now, then: now === group.image ? change : group.image, machines },
        confirm: role === "client" ? "--yes" : `--confirm ${name}`,
        ...{ waits: isBegun ? [] : waits, begun: isBegun },
        ...{ seconds: lastSeconds(current, runs) ?? null, impact },
      },
    ];
  });
  const pauses = Math.max(0, rows.length - 1) * durationSeconds(spec.rollout.interval);
  const isKnown = rows.every(({ seconds }) => seconds !== null);
  return {
    cluster: spec.name,
    groups: rows,
    of: groupsOf(spec).length,
    seconds: isKnown ? rows.reduce((sum, { seconds }) => sum + (seconds ?? 0), pauses) : null,
    refused: [
      ...mayRoll(seen, wanted.groups, seen)
        .filter(({ id }) => !PACE.some((pace) => pace === id))
        .map(({ text, remedy }) => `${text}; first: ${remedy}`),
      ...rows.flatMap(({ name }) =>
        refusalsOf(name).map(({ rule, message, remedy }) => `${name}: ${rule}: ${message}; ${remedy}`),
      ),
    ],
  };
}

/** The group as a roll is going to make it. */
export function withImage(
  group: Group,
  { image = group.image }: { readonly image?: string | undefined },
): Group {
  return { ...group, image, hash: templateHash({ ...group, image }) };
}

/** `interval until 10:30 UTC` */
const describeWait = ({ id, until }: Reason, { at }: Situation): string =>
  until === undefined ? id : `${id} until ${formatTime(new Date(until).toISOString(), at)}`;

/** What the pace of the spec puts between one group and the next. */
function paceAfter(before: string | undefined, { rollout }: Spec): string[] {
  const { manual, pauseAfter, interval, windows } = rollout;
  if (before === undefined) return [];
  return [
    ...(manual ? ["manual"] : []),
    ...(pauseAfter.includes(before) ? ["pause-after"] : []),
    ...(durationSeconds(interval) > 0 ? [`interval ${interval}`] : []),
    ...(windows ? ["window"] : []),
  ];
}
