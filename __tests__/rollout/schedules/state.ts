import { isDeepStrictEqual } from "node:util";
import { hostName } from "../../../cluster/address.js";
import type { Deployed, DeployedGroup, DeployedHost } from "../../../cluster/deployed.js";
import { findGroup } from "../../../cluster/find-group.js";
import { groupsOf, hostNames, numbersIn, type Group } from "../../../cluster/groups.js";
import { hasNumber, onlyAdds, withNumbers } from "../../../cluster/numbers.js";
import { nextRevisions } from "../../../cluster/revision.js";
import type { Spec } from "../../../cluster/yaml/schema.js";
import type { Batch } from "../../../rollout/roll/next-batch.js";

type Gate = "open" | "closed";
type Writable<T> = { -readonly [K in keyof T]: T[K] };
type StateGroup = Omit<Writable<DeployedGroup>, "hosts"> & { hosts: DeployedHost[]; leaveFor: LeaveFor };
interface LeaveFor {
  readonly hash: string;
  readonly hosts: string;
  readonly waiting: string;
}

/** One change of one member, in the order in which they are made. */
export interface Change {
  readonly group: string;
  readonly kind: "host" | "config-consul" | "leave" | "ready" | "revision";
  readonly action: "create" | "destroy" | "update";
  readonly host?: number;
  readonly make: () => void;
}

export interface Plan {
  readonly target: string;
  readonly gate: Gate;
  /** The serial of the state that it was made from. */
  readonly base: number;
  readonly laterHosts: readonly string[];
  readonly changes: readonly Change[];
}

/** What plays the machines. */
export interface Machines {
  start(group: Group, host: number): void;
  end(group: string, host: number): void;
  tell(group: string, host: number): void;
}

/** A small model of Terraform's state, and of the plans that a group's view makes over it. */
export class State {
  serial = 7;
  readonly groups: Map<string, StateGroup>;
  #ids = 0;

  constructor(
    private readonly start: Deployed,
    private readonly machines: Machines,
  ) {
    const groups = [...start.groups.values()].map((group) => ({
      ...group,
      hosts: [...group.hosts],
      leaveFor: leaveFor(
        group.hosts[0]?.hash ?? "",
        group.hosts.map(({ name }) => name),
      ),
    }));
    this.groups = new Map(groups.map((group) => [group.name, group]));
  }

  get deployed(): Deployed {
    const { where, lineage } = { where: "terraform.demo.tfstate", lineage: "demo" };
    return {
      ...this.start,
      origin: { kind: "state", where, lineage, serial: this.serial },
      groups: new Map(this.groups),
    };
  }

  group(name: string): StateGroup {
    const group = this.groups.get(name);
    if (!group) throw new Error(`no group ${name} in the state`);
    return group;
  }

  /** What a refresh does where a machine is gone. */
  lose(name: string): void {
    for (const group of this.groups.values()) group.hosts = group.hosts.filter((host) => host.name !== name);
    this.serial++;
  }

  /**
   * @param laterHosts those that keep their machines for now
   * @param given the numbers of a step of a surge
   */
  plan(
    spec: Spec,
    target: string,
    gate: Gate,
    { laterHosts = [], numbers: given }: Partial<Pick<Batch, "laterHosts" | "numbers">> = {},
  ): Plan {
    const current = this.group(target);
    const group = withNumbers(findGroup(spec, target), current, given);
    const numbers = numbersIn(group);
    const stays = ({ number, hash, name }: DeployedHost): boolean =>
      hasNumber(group, number) && (hash === group.hash || laterHosts.includes(name));
    const going = current.hosts.filter((host) => !stays(host));
    const staying = current.hosts.filter(stays);
    const missing = numbers.filter((number) => !staying.some((host) => host.number === number));
    const leave = leaveFor(group.hash, hostNames(group), laterHosts);
    const isOther = !isDeepStrictEqual(current.leaveFor, leave) || !current.leave;
    const leaves = !onlyAdds(group, current, laterHosts) && (isOther || going.length > 0);
    const { ready } = current;
    const proves =
      going.length + missing.length > 0 ||
      ready?.hash !== group.hash ||
      ready.gate !== gate ||
      ready.hosts !== idsOf(current);
    // As a saved plan has them: one that is lost meanwhile is named all the same.
    const ids = new Map(staying.map(({ number, id }) => [number, id]));
    const of = (kind: Change["kind"], action: Change["action"], make: () => void, host?: number): Change => ({
      group: target,
      kind,
      action,
      make,
      ...(host === undefined ? {} : { host }),
    });
    const changes: Change[] = [
      ...(proves && ready ? [of("ready", "destroy", () => delete current.ready)] : []),
      ...(leaves && current.leave ? [of("leave", "destroy", () => (current.leave = false))] : []),
      ...going.map(({ number }) =>
        of(
          "host",
          "destroy",
          () => {
            this.machines.end(target, number);
            current.hosts = current.hosts.filter((host) => host.number !== number);
          },
          number,
        ),
      ),
      ...missing.map((number) =>
        of(
          "host",
          "create",
          () => {
            ids.set(number, this.#create(group, number));
          },
          number,
        ),
      ),
      ...this.#tellings(spec, group, going.length + missing.length > 0),
      ...(leaves
        ? [
            of("leave", "create", () => {
              current.leave = true;
              current.leaveFor = leave;
            }),
          ]
        : []),
      ...(proves
        ? [
            of(
              "ready",
              "create",
              () =>
                (current.ready = {
                  hosts: numbers.map((number) => ids.get(number) ?? "").join(","),
                  hash: group.hash,
                  gate,
                }),
            ),
          ]
        : []),
      ...(gate === "open" && current.revisions.at(-1)?.hash !== group.hash
        ? [
            of("revision", "update", () => {
              const limits = { revisionHistoryLimit: spec.rollout.revisionHistoryLimit, cause: "a schedule" };
              current.revisions = nextRevisions(group, current.revisions, limits);
            }),
          ]
        : []),
    ];
    return { target, gate, base: this.serial, laterHosts, changes };
  }

  #create(group: Group, number: number): string {
    const { image, instanceType, hash, name } = group;
    const id = `i-${String(++this.#ids)}`;
    const host = {
      number,
      name: hostName(name, number),
      id,
      image,
      instanceType,
      hash,
    };
    const { hosts } = this.group(name);
    hosts.push(host);
    hosts.sort((one, other) => one.number - other.number);
    this.machines.start(group, number);
    return id;
  }

  /** Every machine of the group that does not know the Consul servers, and every machine there is where one is replaced. */
  #tellings(spec: Spec, target: Group, changes: boolean): Change[] {
    const everywhere = target.role === "consul-server";
    return groupsOf(spec)
      .filter(({ name }) => name === target.name || everywhere)
      .flatMap((group) =>
        (group.name === target.name
          ? numbersIn(target)
          : this.group(group.name).hosts.map((host) => host.number)
        ).map((number) => ({ group: group.name, number })),
      )
      .filter(({ group, number }) => changes || !this.#isTold(group, number))
      .filter(({ group, number }) => group === target.name || this.#host(group, number) !== undefined)
      .map(({ group, number }) => ({
        group,
        kind: "config-consul",
        action: "update",
        host: number,
        make: () => {
          this.#tell(group, number);
        },
      }));
  }

  #tell(group: string, number: number): void {
    const { hosts } = this.group(group);
    const at = hosts.findIndex((host) => host.number === number);
    const host = hosts[at];
    if (!host?.id) return;
    hosts[at] = { ...host, configConsul: { host: host.id, servers: this.#servers() } };
    this.machines.tell(group, number);
  }

  #host(group: string, number: number): DeployedHost | undefined {
    return this.group(group).hosts.find((host) => host.number === number);
  }

  #isTold(group: string, number: number): boolean {
    const host = this.#host(group, number);
    return host?.configConsul?.host === host?.id && host?.configConsul?.servers === this.#servers();
  }

  #servers(): string {
    return [...this.groups.values()]
      .filter(({ role }) => role === "consul-server")
      .sort((one, other) => one.index - other.index)
      .flatMap(({ hosts }) => hosts.map(({ id }) => id))
      .join(",");
  }
}

/** What the guard says of a plan here: one group, whose work has left, from the state as it is. */
export function judge(plan: Plan, state: State): { readonly plan: Plan; readonly accepted: boolean } {
  const isConsul = state.group(plan.target).role === "consul-server";
  const ofOthers = plan.changes.filter(({ group }) => group !== plan.target);
  const leaves = plan.changes.findIndex(({ kind, action }) => kind === "leave" && action === "destroy");
  const goes = plan.changes.findIndex(({ kind, action }) => kind === "host" && action === "destroy");
  const accepted =
    plan.base === state.serial &&
    ofOthers.every(({ kind }) => kind === "config-consul" && isConsul) &&
    (goes === -1 || !state.group(plan.target).leave || (leaves !== -1 && leaves < goes));
  return { plan, accepted };
}

const idsOf = ({ hosts }: StateGroup): string => hosts.map(({ id }) => id).join(",");
const leaveFor = (hash: string, hosts: readonly string[], waiting: readonly string[] = []): LeaveFor => ({
  hash,
  hosts: hosts.join(","),
  waiting: waiting.join(","),
});
