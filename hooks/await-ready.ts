import { isUnknown, type Observation, type ServerList } from "../rollout/observation/observation.js";
import { machinesOf, subjectsOf } from "../live/checks/subject.js";
import type { PoolChecks } from "../live/checks/pool-checks.js";
import type { LiveCluster } from "../live/live-cluster.js";
import { formatFinding } from "../rollout/preflight/finding.js";
import { missingRights } from "../rollout/preflight/rights.js";
import { CHECKS_PASSED } from "../rollout/log/read-runs.js";
import type { Condition } from "../rollout/ready/condition.js";
import type { Expected } from "../rollout/ready/expected.js";
import { formatHeld, held } from "../rollout/ready/held.js";
import { readiness } from "../rollout/ready/readiness.js";
import { describeTimeout, formatCondition, isTimedOut, unmetConditions } from "../rollout/ready/timeout.js";
import { listedHosts } from "../rollout/server-lists.js";
import { withLists } from "../live/observe/server-lists.js";
import { UserError } from "../cluster/user-error.js";
import { configureWrong } from "./configure-consul.js";
import { forgetDead } from "./forget-dead.js";
import type { HookContext } from "./hook-context.js";
import { Timeline } from "./timeline.js";

export interface ReadyDeps extends Pick<HookContext, "clock" | "say" | "onCondition" | "signal" | "driver"> {
  readonly cluster: LiveCluster;
  readonly checks: PoolChecks;
}

const EVERY_MS = 2000;

/**
 * Waits until a group is whole again and has been for the bake time; then forgets the records of its dead machines.
 * @throws UserError naming each condition that failed, with its last value
 */
export async function awaitReady(
  { cluster, checks, clock, say, onCondition, signal, driver }: ReadyDeps,
  expected: Expected,
  time: { readonly timeoutSeconds: number; readonly bakeSeconds: number },
): Promise<Observation> {
  const { group, role, hosts, others = [] } = expected;
  const timeline = new Timeline(group, clock, say, onCondition);
  const begun = clock.now();
  let since: number | undefined;
  let lists: readonly ServerList[] = [];
  timeline.step(
    "ready",
    `${group}: waiting until ${hosts.join(", ")} ${hosts.length === 1 ? "is" : "are"} whole`,
    time.timeoutSeconds,
  );

  for (;;) {
    signal.throwIfAborted();
    const question = { group, role, agentsOf: hosts, checks: checks.results };
    const seen = await cluster.observe(question);
    const lacking = missingRights(role, seen, "ready");
    // A cluster that is new may have no tokens yet.
    const isNew = others.length === 0 && [seen.consul.rights, seen.nomad.rights].some(isUnknown);
    if (lacking.length > 0 && !isNew)
      throw new UserError([`${group} cannot be ready:`, ...lacking.map(formatFinding)].join("\n  "));
    const listed = new Set([...hosts, ...listedHosts(seen, others, { name: group, role })]);
    const observation = await withLists(cluster.agents, seen, [...listed], signal, lists);
    lists = observation.lists;
    const machines = machinesOf(observation, hosts);
    const isKnown = machines.length === hosts.length;
    const ofPool = machinesOf(observation, [...hosts, ...poolHosts(expected)]);
    checks.start((check) =>
      check.scope === "machine" || isKnown
        ? subjectsOf(check, { name: group, machines }, { name: expected.pool, machines: ofPool })
        : [],
    );
    if (driver) lists = await configureWrong({ cluster, clock, say, signal }, observation);
    const reading = readiness({ ...observation, lists }, expected);
    const bake = held(reading, since, time.bakeSeconds);
    if (reading.passed && since === undefined) timeline.note(`every condition is met; ${formatHeld(bake)}`);
    since = bake.since;
    timeline.waits(unmetConditions(reading));
    const checked = reading.conditions.filter(({ name }) => name.startsWith("check-"));
    const answers = checked.map((each) => `, ${shortly(each)}`).join("");
    if (reading.passed && !bake.done)
      timeline.waitsFor(`every condition is met, and has to hold for ${String(time.bakeSeconds)}s${answers}`);
    if (bake.done) {
      for (const condition of checked) timeline.note(formatCondition(condition));
      if (checked.length > 0) timeline.waitsFor(`${CHECKS_PASSED}${checked.map(shortly).join(", ")}`);
      const look = (): Promise<Observation> => cluster.observe(question);
      await forgetDead({ look, nomad: cluster.nomad, clock, timeline, signal }, observation, expected);
      timeline.end(`is ready (${formatHeld(bake)})`);
      return observation;
    }
    // Nothing that holds is broken off: what is tried seldom may have to hold for longer than the bake time.
    if (isTimedOut({ at: bake.since ?? reading.at }, begun, time)) {
      throw new UserError(describeTimeout(reading, Math.round((clock.now() - begun) / 1000)));
    }
    await clock.pause(EVERY_MS, signal);
  }
}

const shortly = ({ name, value }: Condition): string => `${name} (${value})`;

const poolHosts = ({ pool, laterHosts = [], others = [] }: Expected): string[] => [
  ...laterHosts,
  ...others.flatMap((other) => (other.pool === pool ? other.hosts : [])),
];
