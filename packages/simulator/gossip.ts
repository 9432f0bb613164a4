import type { Timeline } from "./timeline.js";

export type MemberStatus = "alive" | "leaving" | "left" | "failed";

/** What gossip knows of the process behind a member. */
export interface Gossiper {
  readonly name: string;
  readonly address: string;
  running: boolean;
}

export interface Member<Agent> {
  readonly name: string;
  agent: Agent;
  status: MemberStatus;
  since: number;
}

/** `join`: there was no such member, or it was gone. `update`: a living member came back as somebody else, unnoticed. */
export type MemberEvent = "join" | "update" | "failed" | "left";

interface Grave {
  readonly address: string;
  readonly at: number;
  readonly left: boolean;
}

export interface GossipOptions<Agent> {
  /** From the death of a process until its member is `failed`. */
  readonly detectMs: (agent: Agent) => number;
  readonly onEvent: (member: Member<Agent>, event: MemberEvent) => void;
}

/** For how long the dead keep their name from a machine at another address. */
const NAME_KEPT_MS = 30_000;

/** The members as all that have joined see them; views do not differ from agent to agent here. */
export class Gossip<Agent extends Gossiper> {
  readonly members = new Map<string, Member<Agent>>();
  readonly #graves = new Map<string, Grave>();

  constructor(
    private readonly timeline: Timeline,
    private readonly options: GossipOptions<Agent>,
  ) {}

  /** Whether another machine still holds this name: alive, or dead for less than 30 s without having left. */
  isConflict(agent: Agent): boolean {
    const { now } = this.timeline;
    const member = this.members.get(agent.name);
    if (member && (member.status === "alive" || member.status === "leaving"))
      return member.agent.address !== agent.address;
    const grave = this.#graves.get(agent.name);
    return (
      grave !== undefined && !grave.left && grave.address !== agent.address && now - grave.at < NAME_KEPT_MS
    );
  }

  join(agent: Agent, { silent = false } = {}): void {
    const before = this.members.get(agent.name);
    const known = before && (before.status === "alive" || before.status === "leaving");
    const member = before ?? { name: agent.name, agent, status: "alive", since: this.timeline.now };
    member.agent = agent;
    member.status = "alive";
    member.since = this.timeline.now;
    this.members.set(agent.name, member);
    this.#graves.delete(agent.name);
    if (!silent) this.options.onEvent(member, known ? "update" : "join");
  }

  mark(name: string, status: MemberStatus): void {
    const member = this.members.get(name);
    if (!member || member.status === status) return;
    member.status = status;
    member.since = this.timeline.now;
    if (status === "left" || status === "failed") {
      // A member that was first dead and then made to leave is dead since it died.
      if (!this.#graves.has(name))
        this.#graves.set(name, {
          address: member.agent.address,
          at: this.timeline.now,
          left: status === "left" && member.agent.running,
        });
      this.options.onEvent(member, status);
    }
  }

  /** Takes a member off the list, as a force-leave with prune does. */
  prune(name: string): void {
    const member = this.members.get(name);
    if (!member) return;
    if (member.status !== "left") this.mark(name, "left");
    this.members.delete(name);
  }

  /** To be called when a process has ended without having left. */
  died(agent: Agent): void {
    this.timeline.after(this.options.detectMs(agent), () => {
      const member = this.members.get(agent.name);
      if (member?.agent !== agent || agent.running) return;
      if (member.status === "alive") this.mark(agent.name, "failed");
      if (member.status === "leaving") this.mark(agent.name, "left");
    });
  }

  get alive(): Member<Agent>[] {
    return [...this.members.values()].filter(({ status }) => status === "alive");
  }
}
