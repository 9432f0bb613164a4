import { expect, test } from "@jest/globals";
import type { Deployed } from "../../../cluster/deployed.js";
import { findGroup } from "../../../cluster/find-group.js";
import { groupsOf } from "../../../cluster/groups.js";
import { inFlightOf } from "../../../cluster/pending.js";
import type { Spec } from "../../../cluster/yaml/schema.js";
import { UserError } from "../../../cluster/user-error.js";
import { restartOf } from "../../../rollout/edit/restart.js";
import { undoOf, undoRoll } from "../../../rollout/edit/undo.js";
import { readRuns } from "../../../rollout/log/read-runs.js";
import { rollFacts } from "../../../rollout/log/roll-facts.js";
import { among, mayRoll, refusal, unfinished } from "../../../rollout/roll/may-roll.js";
import { nextInGroup } from "../../../rollout/roll/next-step.js";
import { nextRoll, type Wanted } from "../../../rollout/roll/next-group.js";
import { offeredViews } from "../../../rollout/roll/views.js";
import { phaseOf } from "../../../rollout/status/phase.js";
import type { Situation } from "../../../rollout/status/situation.js";
import { change, deployedAs, groupIn, localSpec, poolOf, withGroup } from "../../support/fixtures.js";
import { isLong } from "../../support/long.js";
import { ago, CANCEL, GOAL, PAUSE, runOf, situationOf } from "../../support/situation.js";

const PAIRS: readonly (readonly [string, string])[] = [
  ["broker-0", "broker-1"],
  ["consul-server-1", "broker-0"],
];

/** What a group may be, as far as spec, state and log say. */
const STATES = ["current", "pending", "begun", "left", "half", "gate", "set back", "tainted"] as const;
type State = (typeof STATES)[number];

const local = localSpec();
const standing = deployedAs(local);

/** A group with its earlier revision, so that it can go back. */
const withHistory = (deployed: Deployed, name: string): Deployed => {
  const [first] = groupIn(deployed, name).revisions;
  if (!first) throw new Error(`no revision of ${name}`);
  const before = { ...first, image: "ami-0000", hash: "0000" };
  return withGroup(deployed, name, { revisions: [before, { ...first, number: 2 }] });
};

function put(
  spec: Spec,
  deployed: Deployed,
  name: string,
  state: State,
): [Spec, Deployed, Situation["events"]] {
  const { pool, index } = findGroup(spec, name);
  const wanted = change(spec, (draft) => {
    const of = pool === "consul-server" ? draft.pools["consul-server"] : poolOf(draft, pool);
    of.images[index] = "ami-0bbb";
  });
  const { hash } = findGroup(wanted, name);
  const { hosts, ready } = groupIn(deployed, name);
  const replaced = hosts.map((host, at) => ({
    ...host,
    image: "ami-0bbb",
    hash,
    id: `new-${name}-${String(at)}`,
  }));
  switch (state) {
    case "current":
      return [spec, deployed, []];
    case "pending":
      return [wanted, deployed, []];
    case "begun":
      return [
        wanted,
        deployed,
        runOf(
          [9, "run-started", { command: `rollout deploy ${name}` }],
          [9, "group-started", { group: name, from: "ami-0aaa", to: "ami-0bbb", hash }],
          [8, "step-started", { group: name, step: "leave" }],
        ),
      ];
    case "left":
      return [wanted, withGroup(deployed, name, { leave: false }), []];
    case "half":
      return [wanted, withGroup(deployed, name, { hosts: [...replaced.slice(0, 1), ...hosts.slice(1)] }), []];
    case "gate":
      return [
        wanted,
        withGroup(deployed, name, {
          hosts: replaced,
          ready: { ...ready, hosts: replaced.map(({ id }) => id).join(","), hash, gate: "closed" },
        }),
        runOf(
          [9, "run-started", { command: "rollout deploy broker --image ami-0bbb" }],
          [9, "group-started", { group: name, from: "ami-0aaa", to: "ami-0bbb", hash }],
          [8, "step-started", { group: name, step: "gate" }],
          [7, "group-ended", { group: name, result: "failed", message: "not ready within 15m" }],
          [7, "run-ended", { result: "failed" }],
        ),
      ];
    case "set back":
      return [spec, withGroup(deployed, name, { leave: false }), []];
    case "tainted":
      return [spec, withGroup(deployed, name, { tainted: [`terraform_data.${name}-ready`] }), []];
  }
}

/** Why a command is refused, as far as spec, state and run store tell; undefined where it does something. */
function refused(situation: Situation, command: string): string | undefined {
  const [verb = "", ...words] = command.replace(/^(npx )?rollout /, "").split(" ");
  const { spec, deployed } = situation;
  const [target = ""] = words;
  const facts = rollFacts(readRuns(situation.events), situation.deployed);
  const names = (of: string): string[] =>
    of === "--all"
      ? groupsOf(spec).map(({ name }) => name)
      : groupsOf(spec).flatMap(({ name, pool }) => (name === of || pool === of ? [name] : []));
  const said = (act: () => unknown): string | undefined => {
    try {
      act();
      return undefined;
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
  };
  switch (verb) {
    case "deploy": {
      if (target === "cluster") {
        const counts = offeredViews(spec, deployed).includes("cluster") ? [] : (["in-flight"] as const);
        const reasons = among(mayRoll(situation, []), "not-the-state", ...counts);
        return reasons.length > 0 ? refusal(reasons, "nothing is created").message : undefined;
      }
      const groups = names(target);
      const image = words[1] === "--image" ? words[2] : undefined;
      const wanted: Wanted = { groups, command, ...(image === undefined ? {} : { image }) };
      const next = nextRoll({ ...situation, wanted, facts, leaders: [] });
      const isOne = image === undefined && groups.length === 1;
      if (!isOne) return next.kind === "blocked" ? `${next.reason}; next: ${next.command}` : undefined;
      const held = unfinished(situation, facts).some(({ group }) => group === target)
        ? []
        : among(mayRoll(situation, [target], { ...situation, facts }), "paused", "cancelled");
      if (held.length > 0) return refusal(held, "not rolled").message;
      if (next.kind === "step" && "id" in next.step) return undefined;
      const own = nextInGroup(spec, deployed, target);
      if (own.kind === "blocked") return refusal(own.reasons, "not rolled").message;
      const { hash } = findGroup(spec, target);
      // A leave that has ended is gone from the state, and nothing is asked then.
      const { hosts, leave } = groupIn(deployed, target);
      const isLeft = !leave || hosts.every((host) => host.hash === hash);
      const other = inFlightOf(spec, deployed).find(({ group }) => group !== target);
      if (own.kind !== "roll" || isLeft || !other) return undefined;
      return `${other.group} is in flight; finish it first: npx rollout deploy ${other.group}`;
    }
    case "undo":
      return said(() =>
        names(target).includes(target) ? undoOf(situation, target) : undoRoll(situation, names(target)),
      );
    case "restart":
      return said(() => restartOf(situation, target));
    case "resume":
      return situation.hold || words.length > 0 ? undefined : "nothing is held";
    default:
      return undefined;
  }
}

/** The commands that a text names to be run. */
const namedIn = (text: string): string[] =>
  [
    ...text.matchAll(
      /rollout (?:deploy|restart|undo|resume|cancel|gc|retire|set image)\b(?: (?:--all|--image|[a-z0-9][\w-]*(?:=\w+)?))*/g,
    ),
  ].map(([command]) => command.replace(/ or$/, ""));

/** What somebody does by hand, and what ends by itself. */
const BY_HAND =
  /set it back|set all but one back|unset |set protection|wait for it|rollout history|give it another image|already runs/;

/** The commands by which somebody who does the first thing that is named, again and again, comes back to one of them. */
function circleFrom(situation: Situation, command: string): string[] | undefined {
  const path: string[] = [];
  for (let at: string | undefined = command; at !== undefined;) {
    if (path.includes(at)) return [...path, at];
    path.push(at);
    const message = refused(situation, at);
    if (message === undefined) return undefined;
    const [next] = namedIn(message);
    if (next === undefined && !BY_HAND.test(message)) return [...path, `nothing: ${message}`];
    at = next;
  }
  return undefined;
}

const FREEZE = { ...PAUSE, until: ago(-60) };
const HOLDS = [undefined, PAUSE, FREEZE, CANCEL, { ...CANCEL, undo: true }] as const;
const PACES: readonly Partial<Spec["rollout"]>[] = [
  {},
  { manual: true },
  { interval: "1h", pauseAfter: ["broker-2"] },
  // None is open now.
  { windows: [{ days: ["sat"], from: "11:00", to: "12:00", zone: "UTC" }] },
];

/** Every so many of all situations: each pair of states comes up with each policy. */
const EVERY = isLong ? 1 : 17;

test("nobody who does what a refusal says first comes back to where it began, whatever two groups are", () => {
  const circles = new Map<string, string>();
  let [count, place] = [0, 0];
  for (const pendingGroups of ["one", "queue"] as const)
    for (const pace of PACES)
      for (const hold of HOLDS)
        for (const goal of [undefined, GOAL])
          for (const pair of PAIRS)
            for (const first of STATES)
              for (const second of STATES) {
                // Neither the driver nor a view begins one of them while the other is so.
                if (place++ % EVERY > 0 || (first === "half" && second === "half")) continue;
                const rollout = { pendingGroups, ...pace };
                const situation = situationIn(rollout, [...pair], [first, second], { hold, goal });
                const { next, undo } = phaseOf(situation);
                const said = [next, undo].flatMap((each) =>
                  each == null || each.includes("--watch") ? [] : [each],
                );
                for (const command of [...asked(...pair), ...said.map((each) => each.replace("npx ", ""))]) {
                  count++;
                  const circle = circleFrom(situation, command)?.join(" > ");
                  const where = JSON.stringify([rollout, hold?.kind, goal?.command, ...pair, first, second]);
                  if (circle !== undefined) circles.set(circle, where);
                }
              }
  expect(count).toBeGreaterThan(3_000);
  expect(Object.fromEntries(circles)).toEqual({});
});

test("of two in flight the one that has left is finished first: the other may not leave while it is out", () => {
  const states = ["half", "left"] as const;
  const situation = situationIn({ pendingGroups: "queue" }, ["broker-0", "broker-1"], states);
  expect(refused(situation, "rollout deploy broker-0")).toMatch(/first: rollout deploy broker-1$/);
  expect(refused(situation, "rollout deploy broker-1")).toBeUndefined();
  const both = situationIn({ pendingGroups: "queue" }, ["broker-0", "broker-1"], ["half", "half"]);
  expect(circleFrom(both, "rollout deploy broker-0")).toHaveLength(3);
});

test("a refusal that names neither a command nor what is done by hand ends nowhere", () => {
  const situation = situationIn({ pendingGroups: "one" }, ["broker-0"], ["left"]);
  expect(circleFrom(situation, "rollout resume")).toEqual(["rollout resume", "nothing: nothing is held"]);
});

const asked = (one: string, other: string): string[] => [
  ...[one, other].flatMap((group) => ["deploy", "undo", "restart"].map((verb) => `rollout ${verb} ${group}`)),
  "rollout deploy broker",
  "rollout deploy broker --image ami-0bbb",
  "rollout deploy --all",
  "rollout deploy --all --image ami-0ccc",
  "rollout deploy cluster",
  "rollout undo broker",
];

function situationIn(
  rollout: Partial<Spec["rollout"]>,
  groups: readonly string[],
  states: readonly State[],
  more: Partial<Situation> = {},
): Situation {
  let [spec, deployed] = [
    change(local, (draft) => void Object.assign(draft.rollout, rollout)),
    groups.reduce(withHistory, standing),
  ];
  const events = runOf(
    [30, "group-started", { group: "broker-2" }],
    [20, "group-ended", { group: "broker-2", result: "ok" }],
    [20, "run-ended", { result: "ok" }],
  );
  for (const [place, state] of states.entries()) {
    const [wanted, stands, done] = put(spec, deployed, groups[place] ?? "", state);
    [spec, deployed] = [wanted, stands];
    events.push(...done);
  }
  return situationOf(spec, deployed, { events, ...more });
}
