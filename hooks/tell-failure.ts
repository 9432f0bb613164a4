import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { logNameOf, LogWriter } from "../clients/run-store/run-log.js";
import { lockHolder } from "../clients/run-store/run-lock.js";
import { type Clock, realClock } from "../clients/clock.js";
import { whoRuns } from "../clients/who-runs.js";
import { groupsOf } from "../cluster/groups.js";
import { MARKS } from "../cluster/hooks/variables.js";
import { Interruption } from "../cluster/interruption.js";
import type { LogEvent } from "../cluster/run/run-log.js";
import { begunIn, groupOfHook, isLeaving } from "./mark.js";
import type { HookArgs, HookContext } from "./hook-context.js";

const CALLED = { clock: realClock, parent: process.ppid };

/**
 * Writes into the cluster's log that a hook has failed which Terraform alone has called; the driver writes that of its own. Of
 * several hooks of one apply the first one is written. Where it cannot be written, the failure itself is what counts.
 */
export async function tellFailure(
  { file, folder, store }: Pick<HookContext, "file" | "folder" | "store">,
  { hook, subject }: HookArgs,
  error: unknown,
  { clock, parent }: { readonly clock: Pick<Clock, "now">; readonly parent: number } = CALLED,
): Promise<void> {
  // Who kills Terraform may have killed the run that called it, whose log says so.
  if (process.ppid !== parent) return;
  // The hook of a machine may be called by the view of another group, which is the one that is rolled.
  const rolled = groupsOf(file.spec).find(({ name }) => name === basename(folder));
  const group = rolled ?? groupOfHook(file, { subject });
  if (!group) return;
  try {
    const where = await store();
    const now = clock.now();
    if ((await lockHolder(where)) !== undefined || !isFirst(folder, now)) return;
    const at = new Date(now).toISOString();
    const run = `terraform-${String(process.ppid)}`;
    const [hash, since = at] = begunIn(folder, group.name)?.split(" ") ?? [];
    const seconds = hash === group.hash ? Math.max(0, (now - Date.parse(since)) / 1000) : 0;
    const result = error instanceof Interruption ? "interrupted" : "failed";
    const message = `hook ${hook} ${subject}: ${error instanceof Error ? error.message : String(error)}`;
    const end = { result, seconds, message } as const;
    const writer = new LogWriter(where, clock, logNameOf(at, run));
    const own = { at, run, group: group.name };
    const revision = file.deployed.find(({ name }) => name === group.name)?.revision;
    const begin = revision ? { from: revision.image, fromRevision: revision.number } : {};
    const isOut = hook === "leave" && isLeaving(folder, group);
    const events: readonly LogEvent[] = [
      { at, run, event: "run-started", by: whoRuns(), command: "Terraform alone" },
      { ...own, event: "group-started", to: group.image, hash: group.hash, ...begin },
      { ...own, event: "step-started", step: hook === "ready" ? "gate" : isOut ? "leave" : "apply" },
      { ...own, event: "group-ended", ...end },
    ];
    for (const event of events) writer.note(event);
    await writer.add({ at, run, event: "run-ended", ...end });
  } catch {
    // It is said all the same, by Terraform.
  }
}

/** Hooks of one apply end soon after the first that fails; a process that got the number of another comes later. */
const SAME_APPLY_MS = 600_000;

/** Whether no other hook of this apply has failed before. */
function isFirst(folder: string, now: number): boolean {
  const mark = join(folder, MARKS, `failed-${String(process.ppid)}`);
  if (existsSync(mark) && now - statSync(mark).mtimeMs > SAME_APPLY_MS) rmSync(mark, { recursive: true });
  return mkdirSync(mark, { recursive: true }) !== undefined;
}
