import { readFileSync } from "node:fs";
import type { Environment } from "../clients/environment.js";
import { lockHolder } from "../clients/run-store/run-lock.js";
import { statusOf } from "../rollout/status/status.js";
import { offeredViews } from "../rollout/roll/views.js";
import type { Deployed, DeployedGroup } from "../cluster/deployed.js";
import { findRetirable, setRetire } from "../cluster/yaml/edit-retire.js";
import type { Pool } from "../cluster/groups.js";
import { loadSpec } from "../cluster/yaml/load.js";
import { withTextsOf } from "../cluster/yaml/user-data-files.js";
import { isMixed } from "../cluster/pending.js";
import { leftoversOf } from "../cluster/retiring.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { UserError } from "../cluster/user-error.js";
import { type Dialogue, confirmName } from "./ask.js";
import { readDeployed } from "../program/read-deployed.js";
import { refuseUneditable } from "../program/edit-spec.js";
import { readSpec } from "../program/read-spec.js";
import { openRunStore } from "../program/run-store.js";
import { rewriteFile } from "../clients/put-file.js";

export interface RetireArgs {
  readonly pool: string;
  /** Whether the pool's data volumes are deleted. Default: they leave the state and stay where they are. */
  readonly deleteVolumes?: boolean;
  /** The pool's name once more, where nobody can be asked. */
  readonly confirm?: string;
}

/**
 * Writes into the spec that a pool leaves for good, and says what comes next. The machines go group by group by the views of
 * the groups, and what is left by the cluster view: nothing is deployed here.
 */
export async function runRetire(env: Environment, args: RetireArgs, dialogue: Dialogue): Promise<string> {
  const source = readSpec(env);
  const { spec, file, shown, isExample } = source;
  if (isExample) throw new UserError("there is no cluster.yaml, so no pool of yours can retire", 2);
  const pool = findRetirable(spec, args.pool);
  const retire = args.deleteVolumes === true ? "delete-volumes" : (pool.retire ?? "keep-volumes");
  refuseUneditable(source, `retire: "${retire}" of ${pool.name}`);
  const deployed = await readDeployed(source, env);
  if (pool.retire === retire) {
    return [`${pool.name} retires already (${retire})`, nextOf(pool, spec, deployed)].join("\n");
  }
  const run = await lockHolder(await openRunStore(source));
  if (run) {
    throw new UserError(
      `a run is under way (${run.command}, by ${run.by}), so ${pool.name} does not retire; wait for it (rollout status --watch) or end it: rollout cancel`,
    );
  }
  const surplus = pool.groups.find(
    ({ name, hosts, retires }) => !retires && hasSurplus(deployed.groups.get(name), hosts),
  )?.name;
  if (surplus !== undefined)
    throw new UserError(
      `${surplus} has more machines than its number, in the middle of its roll, so ${pool.name} does not retire; first: npx rollout deploy ${surplus}`,
    );
  const text = readFileSync(file, "utf8");
  const edited = setRetire(text, shown, pool.name, retire);
  await confirmName(
    { name: pool.name, given: args.confirm, question: describe(pool, retire, deployed) },
    dialogue,
  );
  rewriteFile(file, edited);
  return [
    `${pool.name} retires (${retire}), as ${shown} says now; take the key out again, and it comes back`,
    nextOf(pool, withTextsOf(spec, loadSpec(edited, shown)), deployed),
  ].join("\n");
}

/** Whether new machines stand beside old ones, whatever the spec says of `maxSurge` by now. */
const hasSurplus = (there: DeployedGroup | undefined, hosts: number): boolean =>
  there !== undefined && there.hosts.length > hosts && isMixed(there);

function describe({ name }: Pool, retire: NonNullable<Pool["retire"]>, { groups }: Deployed): string {
  const own = [...groups.values()].filter(({ pool }) => pool === name);
  const hosts = own.flatMap((group) => group.hosts).length;
  const volumes = own.flatMap((group) => group.volumes).length;
  const fate =
    volumes === 0
      ? "it has no data volumes"
      : retire === "keep-volumes"
        ? `its data volumes (${String(volumes)}) leave the state and are kept`
        : `its data volumes (${String(volumes)}) are DELETED, with all that is on them`;
  return `${name} leaves for good, group by group: ${String(hosts)} machines are drained and destroyed; ${fate}.`;
}

function nextOf({ name }: Pool, spec: Spec, deployed: Deployed): string {
  const known = { hold: undefined, goal: undefined, run: undefined, events: [], at: Date.now() };
  const { groups, next } = statusOf({ spec, deployed, ...known }, offeredViews(spec, deployed));
  const isStanding = groups.some(({ pool, state }) => pool === name && state !== "retired");
  const isLeft = leftoversOf(spec, deployed).some(({ pool }) => pool === name);
  if (!isStanding && !isLeft)
    return `next: take pools.${name} out of the spec: nothing of it is in the state`;
  return next === null ? "next: see rollout status" : `next: ${next}`;
}
