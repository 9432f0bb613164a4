import { createHash } from "node:crypto";
import type { ListedObject, RunStore, StoredObject } from "../../clients/run-store/run-store.js";

interface Held {
  readonly text: string;
  readonly tag: string;
  readonly at: number;
}

/** A run store in memory, with a clock that a test moves. All views of one set of objects see the same. */
export class MemoryStore implements RunStore {
  readonly where = "memory";
  #count = 0;

  constructor(
    private readonly now: () => number = () => 0,
    readonly objects = new Map<string, Held>(),
  ) {}

  read(name: string): Promise<StoredObject | undefined> {
    const found = this.objects.get(name);
    return Promise.resolve(
      found && { text: found.text, tag: found.tag, ageMs: Math.max(0, this.now() - found.at) },
    );
  }

  write(name: string, text: string, seen: string | undefined): Promise<string | undefined> {
    if (this.objects.get(name)?.tag !== seen) return Promise.resolve(undefined);
    const tag = `${String(this.#count++)} ${createHash("sha256").update(text).digest("hex")}`;
    this.objects.set(name, { text, tag, at: this.now() });
    return Promise.resolve(tag);
  }

  list(prefix: string): Promise<readonly ListedObject[]> {
    const names = [...this.objects].filter(([name]) => name.startsWith(prefix)).sort();
    return Promise.resolve(names.map(([name, { tag }]) => ({ name, tag })));
  }
}

/** The same objects, seen by somebody to whom something happens. */
export const seenBy = (store: RunStore, changes: Partial<RunStore>): RunStore => ({
  where: store.where,
  read: (name) => store.read(name),
  write: (...args) => store.write(...args),
  list: (prefix) => store.list(prefix),
  ...changes,
});
