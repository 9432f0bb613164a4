import type { DeployedGroup } from "../../cluster/deployed.js";
import { findGroup } from "../../cluster/find-group.js";
import { fillIn, gateSettingsOf, type GateSettings } from "../../cluster/gate-settings.js";
import { hostNames, type Group } from "../../cluster/groups.js";
import { changesInPlace } from "../../cluster/in-place.js";
import { deployedHash, deployedHosts } from "../../cluster/pending.js";
import { asWritten } from "../../cluster/recorded-sizes.js";
import { intentSchema, type GroupIntent, type Intent } from "../../cluster/run/intent.js";
import { sha256 } from "../../cluster/sha256.js";
import { templateHash, templateOf } from "../../cluster/template-hash.js";
import { durationSeconds } from "../../cluster/yaml/duration.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { takeBack } from "../edit/take-back.js";
import type { Situation } from "../status/situation.js";
import { withImage, type WholeRoll } from "./whole-roll.js";
import { openingAt } from "./windows.js";

/** What an intent is made from besides the situation. */
export interface IntentFacts extends Pick<
  Intent,
  "asked" | "commit" | "program" | "terraform" | "providers"
> {
  /** The names of its groups, in order. */
  readonly groups: readonly string[];
  /** Those that have begun: the spec says already what becomes of them, an undo too. */
  readonly begun: readonly string[];
  /** ISO 8601. */
  readonly expires: string;
  /** The SHA-256 of a file that a command names; undefined for a word that is none. */
  readonly digestOf: (word: string) => string | undefined;
}

/** What a roll is going to do, group by group. The same situation and facts give the same intent. */
export function intentOf(situation: Situation, facts: IntentFacts): Intent {
  const { spec, deployed, at } = situation;
  const { groups, begun, expires, digestOf, ...known } = facts;
  const { origin } = deployed;
  const intent = {
    ...{ kind: "rollout-intent", version: 1, cluster: spec.name, ...known },
    lineage: origin.kind === "state" ? origin.lineage : "",
    made: new Date(at).toISOString(),
    expires,
    groups: groups.flatMap((name) => {
      const current = deployed.groups.get(name);
      const image = begun.includes(name) ? null : known.asked.image;
      const group = withImage(findGroup(spec, name), { image: image ?? undefined });
      return current ? [groupIntent(group, current, { spec, digestOf })] : [];
    }),
    others: Object.fromEntries(
      [...deployed.groups.values()]
        .filter(({ name }) => !groups.includes(name))
        .map(({ name, revisions }) => [name, revisions.at(-1)?.number ?? null]),
    ),
    ownResources: [],
    spec: sha256(canonical(rolledOut(spec, facts))),
  };
  // As it is read again, where no limit is null.
  return intentSchema.parse(JSON.parse(JSON.stringify(intent)));
}

function groupIntent(
  group: Group,
  current: DeployedGroup,
  { spec, digestOf }: Pick<IntentFacts, "digestOf"> & { readonly spec: Spec },
) {
  const { name, hash, hosts } = group;
  const last = current.revisions.at(-1);
  const back = takeBack(group, current, true)?.change;
  return {
    ...{ name, base: last?.number ?? null },
    before: {
      ...{ hash: deployedHash(current) ?? null, template: last?.template ?? null },
      hosts: deployedHosts(current),
    },
    after: { hash, template: templateOf(group), hosts },
    inPlace: changesInPlace(group, current),
    undo: back ? { hash: templateHash(back), template: templateOf(back) } : null,
    ...gateIntent(group, spec, digestOf),
  };
}

/** How a group leaves and becomes ready. */
export function gateIntent(
  group: Group,
  spec: Spec,
  digestOf: IntentFacts["digestOf"],
): Pick<GroupIntent, "gate" | "files"> {
  const settings = gateSettingsOf(group.pool, spec);
  const gate = intentSchema.shape.groups.element.shape.gate.parse(JSON.parse(JSON.stringify(settings)));
  return { gate, files: filesOf(settings, group, digestOf) };
}

/** A word is the name of a file once its placeholders are filled in, which may be another for each host. */
function filesOf(
  { ready, steps }: GateSettings,
  group: Group,
  digestOf: IntentFacts["digestOf"],
): GroupIntent["files"] {
  const actions = [...ready.checks, ...steps.flatMap((step) => [step, ...(step.undo ? [step.undo] : [])])];
  const raw = actions.flatMap((action) => (action.kind === "command" ? action.command : []));
  const words = raw.flatMap((word) =>
    word.includes("{") ? hostNames(group).map((host) => fillIn(word, { group: group.name, host })) : [word],
  );
  return Object.fromEntries(
    [...new Set(words)].sort().flatMap((word) => {
      const digest = digestOf(word);
      return digest === undefined ? [] : [[word, digest]];
    }),
  );
}

/** A spec with the image that a roll edits into it, so that the edits of the roll itself are no difference. */
function rolledOut(spec: Spec, { groups, asked: { image } }: Pick<IntentFacts, "groups" | "asked">): Spec {
  const written = asWritten(spec);
  if (image === null) return written;
  const pools = Object.entries(written.pools).map(([pool, settings]) => [
    pool,
    {
      ...settings,
      images: settings.images.map((each, index) =>
        groups.includes(`${pool}-${String(index)}`) ? image : each,
      ),
    },
  ]);
  return { ...written, pools: Object.fromEntries(pools) as Spec["pools"] };
}

/** JSON with keys in the order of the alphabet, so that the layout of a file says nothing. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
      : each,
  );

const DAY_MS = 86_400_000;

/** Until when an intent holds: a day, or with windows the end of the last one that the roll needs. Milliseconds since 1970. */
export function expiryOf({ groups }: WholeRoll, { rollout, ...spec }: Spec, at: number): number {
  const { windows, interval } = rollout;
  if (!windows || groups.length === 0) return at + DAY_MS;
  let [time, closes] = [at, at];
  for (const { name, seconds } of groups) {
    const opening = openingAt(windows, time);
    if ("opens" in opening) time = opening.opens;
    const open = openingAt(windows, time);
    closes = "closes" in open ? open.closes : time;
    time += ((seconds ?? longestOf(name, { ...spec, rollout })) + durationSeconds(interval)) * 1000;
  }
  return closes;
}

/** How long a roll may take of which no history tells: each batch leaves and becomes ready by itself. */
function longestOf(name: string, spec: Spec): number {
  const { pool, hosts } = findGroup(spec, name);
  const { drain, ready, bake, maxSurge, maxUnavailable } = gateSettingsOf(pool, spec);
  const atOnce = Math.max(1, maxSurge > 0 ? maxSurge : maxUnavailable);
  const batches = Math.max(1, Math.ceil(hosts / atOnce));
  const batch = drain.deadlineSeconds + ready.timeoutSeconds + Math.max(bake.seconds, bake.firstSeconds);
  return batches * batch;
}
