import type { Answer } from "../../rollout/observation/observation.js";
import { fillIn, type Action } from "../../cluster/gate-settings.js";
import { runCommand, type ActionDeps } from "./run-command.js";
import { runHttp } from "./run-http.js";
import type { Subject } from "./subject.js";

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
