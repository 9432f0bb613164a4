import type { Ids } from "../ids.js";
import type { Raft } from "../raft.js";
import type { Cancel, Timeline } from "../timeline.js";

export interface Session {
  readonly id: string;
  readonly name: string;
  readonly node: string;
  readonly lockDelayMs: number;
  readonly behavior: string;
  /** As it was written, `10s`; empty for none. */
  readonly ttl: string;
  readonly ttlMs: number | undefined;
  readonly nodeChecks: readonly string[];
  readonly createIndex: number;
  expiry?: Cancel;
}

/** A session really ends after twice its TTL. */
const TTL_FACTOR = 2;

/** Sessions end when they are destroyed, when their TTL runs out, or with the checks of their node. */
export class Sessions {
  readonly all = new Map<string, Session>();
  index = 1;

  constructor(
    private readonly timeline: Timeline,
    private readonly ids: Ids,
    private readonly raft: Raft,
    private readonly onEnd: (session: Session) => void,
  ) {}

  clear(): void {
    for (const session of this.all.values()) session.expiry?.();
    this.all.clear();
  }

  create(settings: Omit<Session, "id" | "createIndex" | "expiry">): Session {
    this.index = this.raft.next();
    const session: Session = { ...settings, id: this.ids.next(), createIndex: this.index };
    this.all.set(session.id, session);
    this.#restartTtl(session);
    return session;
  }

  renew(id: string): Session | undefined {
    const session = this.all.get(id);
    if (session) this.#restartTtl(session);
    return session;
  }

  destroy(id: string): void {
    const session = this.all.get(id);
    if (!session) return;
    session.expiry?.();
    this.all.delete(id);
    this.index = this.raft.next();
    this.onEnd(session);
  }

  /** A new leader counts every TTL from its election. */
  restartTtls(): void {
    for (const session of this.all.values()) this.#restartTtl(session);
  }

  endOfCheck(node: string, check: string): void {
    for (const session of [...this.all.values()])
      if (session.node === node && session.nodeChecks.includes(check)) this.destroy(session.id);
  }

  endOfNode(node: string): void {
    for (const session of [...this.all.values()]) if (session.node === node) this.destroy(session.id);
  }

  #restartTtl(session: Session): void {
    session.expiry?.();
    if (session.ttlMs === undefined) return;
    session.expiry = this.timeline.after(session.ttlMs * TTL_FACTOR, () => {
      // Without a leader nobody ends it; the next one starts to count anew.
      if (this.raft.leader) this.destroy(session.id);
    });
  }
}
