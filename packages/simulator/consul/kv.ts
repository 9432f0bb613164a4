import type { Raft } from "../raft.js";

export interface Entry {
  readonly key: string;
  /** Base64; empty for an empty value. */
  readonly value: string;
  readonly flags: number;
  readonly createIndex: number;
  readonly modifyIndex: number;
}

/** Keys. Nobody locks them. */
export class Kv {
  readonly entries = new Map<string, Entry>();
  #index = 1;

  constructor(private readonly raft: Raft) {}

  get index(): number {
    return this.#index;
  }

  clear(): void {
    this.entries.clear();
  }

  under(prefix: string): Entry[] {
    return [...this.entries.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  /** The same value moves no index. */
  put(key: string, value: string, flags: number): Entry {
    const before = this.entries.get(key);
    if (before?.value === value && before.flags === flags) return before;
    this.#index = this.raft.next();
    const written = {
      key,
      value,
      flags,
      createIndex: before?.createIndex ?? this.#index,
      modifyIndex: this.#index,
    };
    this.entries.set(key, written);
    return written;
  }

  /** A write if the key is still as it was at this index; 0: if it is not there. */
  putIf(key: string, value: string, flags: number, index: number): boolean {
    if ((this.entries.get(key)?.modifyIndex ?? 0) !== index) return false;
    this.put(key, value, flags);
    return true;
  }

  delete(key: string): void {
    if (this.entries.delete(key)) this.#index = this.raft.next();
  }
}
