import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import * as z from "zod";
import { UserError } from "../../cluster/user-error.js";
import type { Clock } from "../clock.js";
import { isRunning } from "../running.js";
import { readStored } from "./read-stored.js";
import type { RunStore } from "./run-store.js";
import { whoRuns } from "../who-runs.js";

/** How often a lock is renewed. */
const RENEW_MS = 20_000;
/** A lock that was not renewed for so long belongs to a run that is gone: nine renewals, so that no pause of S3's ends one. */
const STALE_MS = 180_000;
/** A run that could not renew its lock for so long begins nothing more: well before somebody else takes it. */
const PROVEN_MS = 90_000;

const LOCK = "lock";

const lockSchema = z.object({
  state: z.enum(["held", "free"]),
  /** Of this writing. */
  nonce: z.string(),
  /** The run's, as its log has it. */
  run: z.string(),
  /** `user@host` */
  by: z.string(),
  host: z.string(),
  pid: z.int().positive(),
  /** ISO 8601 in UTC. */
  since: z.iso.datetime(),
  /** As it was typed: `rollout deploy broker-1`. */
  command: z.string(),
});

/** Who holds a cluster's lock. */
export type LockHolder = Omit<z.output<typeof lockSchema>, "state" | "nonce">;

export interface SeenHolder extends LockHolder {
  /** It has ended without a word: its process is gone from this machine, or it has not renewed its lock. */
  readonly isGone: boolean;
}

export interface LockRequest {
  readonly run: string;
  readonly command: string;
  readonly clock: Clock;
  /** Whether what is asked for may take the place of a run that is gone and had another goal. Default: no. */
  readonly mayFollow?: (gone: LockHolder) => Promise<boolean>;
}

/** Who holds the lock of a cluster; undefined where nobody does, or only a run that is gone. */
export async function lockHolder(store: RunStore): Promise<SeenHolder | undefined> {
  const { holder } = await seeLock(store);
  return holder?.isGone === true ? undefined : holder;
}

async function seeLock(
  store: RunStore,
): Promise<{ holder: SeenHolder | undefined; tag: string | undefined }> {
  const found = await readStored(store, LOCK, lockSchema, "see that no run is under way, and remove it");
  if (found === undefined) return { holder: undefined, tag: undefined };
  const { value, tag, ageMs } = found;
  if (value.state === "free") return { holder: undefined, tag };
  const { run, by, host, pid, since, command } = value;
  const isGone = ageMs > STALE_MS || (host === hostname() && !isRunning(pid));
  return { holder: { run, by, host, pid, since, command, isGone }, tag };
}

/** Frees the lock of a run that is gone. @returns who had it; undefined where nobody did, or has it still */
export async function endGone(store: RunStore): Promise<LockHolder | undefined> {
  const { holder, tag } = await seeLock(store);
  if (holder?.isGone !== true) return undefined;
  return (await store.write(LOCK, textOf(holder, "free"), tag)) === undefined ? undefined : holder;
}

/** A cluster's lock while one run holds it, so that one run at a time changes a cluster, whoever starts it and where. */
export class RunLock {
  #provenAt: number;
  /** One writing after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #lost: UserError | undefined;
  #isReleased = false;

  private constructor(
    private readonly store: RunStore,
    private readonly clock: Clock,
    readonly holder: LockHolder,
    private tag: string,
    provenAt: number,
  ) {
    this.#provenAt = provenAt;
  }

  /**
   * Takes the lock. One whose run is gone is taken over by the same command, and by whoever may follow it.
   * @throws UserError when somebody holds it, naming who, since when and with which command
   */
  static async take(store: RunStore, { run, command, clock, mayFollow }: LockRequest): Promise<RunLock> {
    const since = new Date(clock.now()).toISOString();
    const holder = { run, by: whoRuns(), host: hostname(), pid: process.pid, since, command };
    for (;;) {
      const seen = await seeLock(store);
      if (seen.tag === undefined) await proveConditions(store);
      const other = seen.holder;
      if (other && !other.isGone) throw underWay(other);
      if (other && other.command !== command && (await mayFollow?.(other)) !== true) throw leftBehind(other);
      const asked = clock.now();
      const tag = await store.write(LOCK, textOf(holder, "held"), seen.tag);
      if (tag !== undefined) return new RunLock(store, clock, holder, tag, asked);
    }
  }

  /** Renews the lock. @throws UserError when it is another's by now, or could not be renewed for too long */
  prove(): Promise<void> {
    return this.#alone(async () => {
      const asked = this.clock.now();
      try {
        if (await this.#write("held")) this.#provenAt = asked;
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        const seconds = Math.round((this.clock.now() - this.#provenAt) / 1000);
        if (seconds * 1000 >= PROVEN_MS)
          throw new UserError(
            `the lock could not be renewed for ${String(seconds)}s (${error.message}), so nothing more is begun; run the same command again`,
          );
      }
      if (this.#lost) throw this.#lost;
    });
  }

  /** Renews it from time to time until the signal is aborted. @param onLost told once, when it is another's */
  async renewUntil(ended: AbortSignal, onLost: (why: UserError) => void): Promise<void> {
    try {
      while (this.#lost === undefined) {
        await this.clock.pause(RENEW_MS, ended);
        // What is only late is said by whoever is about to begin something.
        await this.prove().catch(() => undefined);
      }
      onLost(this.#lost);
    } catch (error) {
      if (!ended.aborted) throw error;
    }
  }

  /** Lets others in. Harmless when it is called again, and when somebody has taken the lock over. */
  async release(): Promise<void> {
    await this.#alone(async () => {
      if (this.#isReleased || this.#lost) return;
      this.#isReleased = true;
      // Whoever comes next waits until it is stale.
      await this.#write("free").catch(() => undefined);
    });
  }

  async #write(state: "held" | "free"): Promise<boolean> {
    for (;;) {
      const tag = await this.store.write(LOCK, textOf(this.holder, state), this.tag);
      if (tag !== undefined) {
        this.tag = tag;
        return true;
      }
      const { holder: other, tag: now } = await seeLock(this.store);
      if (now !== undefined && other?.run === this.holder.run) {
        // Of an earlier writing it was not known whether it was done.
        this.tag = now;
        continue;
      }
      const who = other ? `, by ${other.by}: ${other.command}` : "";
      this.#lost = new UserError(
        `the lock of this run was taken over${who}; nothing more is begun here: see rollout status`,
      );
      return false;
    }
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work);
    this.#last = next.catch(() => undefined);
    return next;
  }
}

const textOf = ({ run, by, host, pid, since, command }: LockHolder, state: "held" | "free"): string =>
  `${JSON.stringify({ state, nonce: randomUUID(), run, by, host, pid, since, command })}\n`;

/**
 * A store that writes whatever the condition says would let two runs in: its first use shows that it does not.
 * @throws UserError
 */
async function proveConditions(store: RunStore): Promise<void> {
  const probe = (): string => `${randomUUID()}\n`;
  const tag = await store.write("probe", probe(), undefined);
  const seen = tag ?? (await store.read("probe"))?.tag;
  const isKept = (await store.write("probe", probe(), undefined)) === undefined;
  const isMatched = (await store.write("probe", probe(), NO_TAG)) === undefined;
  if (isKept && isMatched && seen !== undefined) return;
  throw new UserError(
    `${store.where} does not keep the conditions of writes (If-None-Match, If-Match), so two runs could change the cluster at once; use S3, or a service that has conditional writes`,
  );
}

/** Of no object. */
const NO_TAG = '"00000000000000000000000000000000"';

const whoOf = ({ command, by, pid, since }: LockHolder): string =>
  `${command}, by ${by} (process ${String(pid)}) since ${since}`;

const underWay = (holder: LockHolder): UserError =>
  new UserError(
    `another run is under way: ${whoOf(holder)}; wait until it has ended (rollout status --watch), or end it: rollout cancel`,
  );

const leftBehind = (holder: SeenHolder): UserError =>
  new UserError(
    `a run has ended without a word: ${whoOf(holder)}; finish what it began with the same command, or give that up first: rollout cancel`,
  );
