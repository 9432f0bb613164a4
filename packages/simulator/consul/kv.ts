import type { Raft } from "../raft.js";
import type { Timeline } from "../timeline.js";
import type { Session, Sessions } from "./sessions.js";

export interface Entry {
  readonly key: string;
  /** Base64; empty for an empty value. */
  readonly value: string;
  readonly flags: number;
  readonly session: string | undefined;
  readonly lockIndex: number;
  readonly createIndex: number;
  readonly modifyIndex: number;
}

/** Keys and their locks. */
export class Kv {
  readonly entries = new Map<string, Entry>();
  #lockDelays = new Map<string, number>();
  #index = 1;

  constructor(
    private readonly timeline: Timeline,
    private readonly raft: Raft,
  ) {}

  get index(): number {
    return this.#index;
  }

  clear(): void {
    this.entries.clear();
    this.#lockDelays.clear();
  }

  under(prefix: string): Entry[] {
    return [...this.entries.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  /** A plain write: it passes over any lock, keeps the holder and sets LockIndex back to 0. The same value moves no index. */
  put(key: string, value: string, flags: number): Entry {
    const before = this.entries.get(key);
    if (before?.value === value && before.flags === flags && before.lockIndex === 0) return before;
    return this.#write({ key, value, flags, session: before?.session, lockIndex: 0 });
  }

  /** A write if the key is still as it was at this index; 0: if it is not there. */
  putIf(key: string, value: string, flags: number, index: number): boolean {
    if ((this.entries.get(key)?.modifyIndex ?? 0) !== index) return false;
    this.put(key, value, flags);
    return true;
  }

  acquire(key: string, value: string, flags: number, session: string): boolean {
    const before = this.entries.get(key);
    if (before?.session !== undefined && before.session !== session) return false;
    if ((this.#lockDelays.get(key) ?? 0) > this.timeline.now) return false;
    const lockIndex =
      (before?.lockIndex ?? 0) + (before?.session === session && before.lockIndex > 0 ? 0 : 1);
    this.#write({ key, value, flags, session, lockIndex });
    return true;
  }

  release(key: string, value: string, flags: number, session: string): boolean {
    const before = this.entries.get(key);
    if (before?.session !== session) return false;
    this.#write({ key, value, flags, session: undefined, lockIndex: before.lockIndex });
    return true;
  }

  delete(key: string): void {
    if (this.entries.delete(key)) this.#index = this.raft.next();
  }

  /** Frees what an ended session held, and keeps others from it for the lock-delay. */
  endOf(session: Session, sessions: Sessions): void {
    for (const entry of [...this.entries.values()]) {
      if (entry.session !== session.id || sessions.all.has(session.id)) continue;
      if (session.behavior === "delete") this.delete(entry.key);
      else this.#write({ ...entry, session: undefined });
      this.#lockDelays.set(entry.key, this.timeline.now + session.lockDelayMs);
    }
  }

  #write(entry: Omit<Entry, "createIndex" | "modifyIndex">): Entry {
    this.#index = this.raft.next();
    const createIndex = this.entries.get(entry.key)?.createIndex ?? this.#index;
    const written = { ...entry, createIndex, modifyIndex: this.#index };
    this.entries.set(entry.key, written);
    return written;
  }
}
