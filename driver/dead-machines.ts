import { withDead } from "../cluster/deployed.js";
import { findGroup } from "../cluster/find-group.js";
import type { Group } from "../cluster/groups.js";
import { inFlightOf } from "../cluster/pending.js";
import { UserError } from "../cluster/user-error.js";
import type { Program } from "../program/program.js";
import { notDead, stoodWith } from "../rollout/preflight/died.js";
import type { NextInGroup } from "../rollout/roll/next-step.js";
import type { GroupAgents } from "./group-agents.js";

/** The machines of a group that stood and were seen dead in this run, which no state says. */
export class DeadMachines {
  readonly #ids = new Set<string>();

  constructor(
    private readonly name: string,
    private readonly agentsOf: (group: Group, program: Program) => GroupAgents | undefined,
    private readonly say: (line: string) => void,
  ) {}

  get wereSeen(): boolean {
    return this.#ids.size > 0;
  }

  /** The same program, in which they are as good as tainted. */
  mark(program: Program): Program {
    const { deployed, spec } = program;
    const dead = { name: this.name, platform: spec.platform, ids: this.#ids };
    return { ...program, deployed: withDead(deployed, dead) };
  }

  /**
   * Looks for them.
   * @param next what would come next if there were none
   * @returns whether there are more than were known
   * @throws UserError where one is half dead and nothing else is to be done, with both ways out; or, naming each, where machines of other groups
   * could not be told of a Consul server's successor
   */
  async find(program: Program, next: NextInGroup["kind"]): Promise<boolean> {
    const group = findGroup(program.spec, this.name);
    const current = program.deployed.groups.get(this.name);
    const stood = current ? stoodWith(group.hash, current).filter(({ id = "" }) => !this.#ids.has(id)) : [];
    const agents = stood.length > 0 ? this.agentsOf(group, program) : undefined;
    const fates = agents ? await agents.fates(stood) : [];
    const half = fates.filter(({ kind }) => next === "done" && kind === "half");
    for (const { host, kind, why, id } of fates.filter((fate) => !half.includes(fate))) {
      if (kind === "dead") this.#ids.add(id);
      const isDead = `${host} is dead, so it is to be replaced: ${why}`;
      this.say(kind === "dead" ? isDead : `warning: ${host}: ${why}`);
    }
    const isDead = fates.some(({ kind }) => kind === "dead");
    // A machine that is not there either would never be told, and each would wait for the other. What has begun is finished.
    const isBegun = next === "roll" || next === "gate";
    if (agents && isDead && !isBegun && group.role === "consul-server") await agents.canBeTold();
    if (half.length === 0 || isDead) return isDead;
    const lines = half.map(({ host, why }) => `${host} is not well: ${why}`);
    const other = inFlightOf(program.spec, program.deployed).find((each) => each.group !== this.name);
    // A restart is an edit, which is refused while another is in flight, and that may wait for this very agent.
    const anew = other
      ? `or where it does not start, stop the machine for good and run this again: ${other.group} is in flight, and a restart would have to wait for it`
      : `or replace its machines: rollout restart ${this.name}`;
    throw new UserError(`${lines.join("\n")}, ${anew}`);
  }

  /**
   * A machine that was seen dead goes without a leave, and a reboot may have ended since, which gave it work.
   * @throws UserError naming each that is not dead now
   */
  async refuseAlive(group: Group, program: Program, howToFinish: string): Promise<void> {
    const hosts = program.deployed.groups.get(this.name)?.hosts ?? [];
    const stood = hosts.filter(({ id = "" }) => this.#ids.has(id));
    if (stood.length === 0) return;
    const fates = (await this.agentsOf(group, program)?.fates(stood)) ?? [];
    const alive = notDead(stood, fates);
    if (alive.length > 0)
      throw new UserError(
        `${alive.join("; ")}; that was not so when it was seen dead, so no machine is replaced; ${howToFinish}`,
      );
  }
}
