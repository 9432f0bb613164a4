import { hostname } from "node:os";
import { join } from "node:path";
import { FolderStore } from "../../clients/run-store/folder-store.js";
import { LogReader, LogWriter } from "../../clients/run-store/run-log.js";
import { RunLock } from "../../clients/run-store/run-lock.js";
import type { RunStore } from "../../clients/run-store/run-store.js";
import { whoRuns } from "../../clients/who-runs.js";
import type { LogEvent } from "../../cluster/run/run-log.js";

/** The state of the examples beside their spec. */
const STATE = "terraform.demo.tfstate";

/** The run store of a cluster whose spec is in a folder. */
export const storeIn = (folder: string, state = STATE): RunStore =>
  new FolderStore(join(folder, `${state}.rollout`), `${state}.rollout`);

export const eventsIn = async (folder: string): Promise<readonly LogEvent[]> =>
  (await new LogReader(storeIn(folder)).read()).events;

/** Writes a log as a run has left it. */
export async function logged(store: RunStore, events: readonly LogEvent[]): Promise<void> {
  const writer = new LogWriter(store, { now: () => 0 }, `20261121T090000Z-${events[0]?.run ?? ""}`);
  for (const event of events) await writer.add(event);
}

/** Holds the lock as this process, until it is released. */
export const locked = (store: RunStore, command: string, now = Date.now()): Promise<RunLock> =>
  RunLock.take(store, {
    run: "0123abcd",
    command,
    clock: { now: () => now, pause: () => Promise.resolve() },
  });

/** Leaves a lock as a run did that was killed. */
export async function leaveLock(
  store: RunStore,
  {
    pid,
    host = hostname(),
    command,
  }: { readonly pid: number; readonly host?: string; readonly command: string },
): Promise<void> {
  const holder = { run: "0123abcd", by: whoRuns(), host, pid, since: "2026-11-21T08:00:00.000Z", command };
  const seen = await store.read("lock");
  await store.write(
    "lock",
    JSON.stringify({ state: "held", nonce: String(Math.random()), ...holder }),
    seen?.tag,
  );
}
