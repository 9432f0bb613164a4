import type { Answer, Observation } from "../../rollout/observation/observation.js";
import { fillIn, type Action } from "../../cluster/gate-settings.js";
import type { ClusterGroup } from "../../rollout/ready/expected.js";
import { inParallel } from "../observe/in-parallel.js";
import { runCommand } from "./run-command.js";
import { runHttp, type ActionDeps } from "./run-http.js";
import { machinesOf, subjectsOf, type Subject } from "./subject.js";

/**
 * Tries an action once. Whatever the machine or the program does, it is a result and no exception.
 * @param at what it is about
 */
export async function runAction(action: Action, at: Subject, deps: ActionDeps): Promise<Answer> {
  const { address } = at;
  const tried =
    action.kind === "http"
      ? await runHttp(
          action,
          fillIn(action.url, { ...at, ...(address === undefined ? {} : { address: inUrl(address) }) }),
          deps,
        )
      : await runCommand(
          action,
          action.command.map((word) => fillIn(word, at)),
          deps,
        );
  return { name: action.name, host: at.name, ...tried };
}

/** An address of IPv6 stands in brackets in a URL. */
const inUrl = (address: string): string => (address.includes(":") ? `[${address}]` : address);

/** Each is a request or a process. */
export const AT_ONCE = 16;

/**
 * Tries actions on the groups of a pool. One that fails is not tried again: nothing has been done yet, and it may take minutes.
 * @param own of them, the one that an action of the whole pool is told
 */
export function tryAll(
  actions: readonly Action[],
  groups: readonly ClusterGroup[],
  own: string,
  observation: Observation,
  deps: ActionDeps,
): Promise<Answer[]> {
  // A machine without an address is asked by its name, and not left out.
  const machineOf = (host: string) => machinesOf(observation, [host])[0] ?? { host, address: host };
  // Of a pool that retires there are groups without any.
  const standing = groups
    .filter(({ hosts }) => hosts.length > 0)
    .map((group) => ({ ...group, machines: group.hosts.map(machineOf) }));
  const ofPool = standing.flatMap(({ machines }) => machines);
  const asked = standing.flatMap((group) =>
    actions
      .filter(({ scope }) => scope !== "pool" || group.name === own)
      .flatMap((action) =>
        subjectsOf(action, group, { name: group.pool, machines: ofPool }).map((at) => ({ action, at })),
      ),
  );
  return inParallel(asked, AT_ONCE, ({ action, at }) => runAction(action, at, deps));
}
