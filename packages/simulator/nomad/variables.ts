import type { Raft } from "../raft.js";
import type { Timeline } from "../timeline.js";

export interface Variable {
  readonly path: string;
  readonly items: Readonly<Record<string, string>>;
  readonly createIndex: number;
  readonly modifyIndex: number;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

/** Nomad's variables, as far as a lock or a record needs them. */
export class Variables {
  readonly all = new Map<string, Variable>();

  constructor(
    private readonly timeline: Timeline,
    private readonly raft: Raft,
  ) {}

  put(path: string, items: Readonly<Record<string, string>>): Variable {
    const before = this.all.get(path);
    const index = this.raft.next();
    const variable: Variable = {
      path,
      items,
      createIndex: before?.createIndex ?? index,
      modifyIndex: index,
      createdAt: before?.createdAt ?? this.timeline.now,
      modifiedAt: this.timeline.now,
    };
    this.all.set(path, variable);
    return variable;
  }
}
