import { parseIp } from "../cluster/ip-address.js";
import { UserError } from "../cluster/user-error.js";

/** What stands on a machine's disk. */
export type SeenFile =
  | { readonly reached: false; readonly reason: string }
  | {
      readonly reached: true;
      /** Undefined where there is no file. */
      readonly content: string | undefined;
      /** It was put there, and the agent has not read its folder since. */
      readonly reloadDue: boolean;
    };

/** A member as the machine's own agent sees it. */
export interface SeenMember {
  readonly name: string;
  readonly address: string;
  readonly status: string;
}

/** What the machine's own Consul agent answers. */
export type SeenAgent =
  | { readonly answers: false; readonly reason: string }
  | {
      readonly answers: true;
      /** Itself is always among them. */
      readonly members: readonly SeenMember[];
      /** Empty while it knows none. */
      readonly leader: string;
      /** Why it names none, where it says so. */
      readonly reason?: string;
    };

/** One machine. */
export interface ConsulObservation {
  readonly file: SeenFile;
  readonly agent: SeenAgent;
  /** This run has written the file already. */
  readonly wrote: boolean;
  readonly outOfTime: boolean;
}

export type ConfigureConsulStep =
  | { readonly step: "write"; readonly content: string }
  | { readonly step: "reload" }
  /** What frees an agent whose list named no living server. May be repeated. */
  | { readonly step: "join"; readonly addresses: readonly string[]; readonly reason: string }
  | { readonly step: "wait"; readonly reason: string }
  | { readonly step: "done"; readonly leader: string }
  | { readonly step: "failed"; readonly reason: string };

/**
 * What is to be done next so that a machine finds the Consul servers, now and after its next restart. The disk comes first:
 * a running agent hears of new servers by gossip, but a restarted one has nothing but this list.
 * @throws UserError as {@link renderServersFile} does
 */
export function nextConfigureConsulStep(
  { file, agent, wrote, outOfTime }: ConsulObservation,
  servers: readonly string[],
): ConfigureConsulStep {
  const content = renderServersFile(servers);
  const waitFor = (reason: string): ConfigureConsulStep => ({ step: outOfTime ? "failed" : "wait", reason });

  if (!file.reached) return waitFor(file.reason);
  if (file.content !== content) {
    if (!wrote) return { step: "write", content };
    const found = file.content === undefined ? "is gone" : `reads back as ${brief(file.content)}`;
    return { step: "failed", reason: `the file ${found} after it was written; see what else writes it` };
  }
  if (!agent.answers) {
    const remedy = outOfTime ? "; see on the machine: journalctl -u consul" : "";
    return waitFor(`its Consul agent does not answer: ${agent.reason}${remedy}`);
  }
  if (file.reloadDue) return { step: "reload" };

  const alive = agent.members.filter(({ status }) => status === "alive").map(({ address }) => address);
  const unseen = servers.filter((server) => !alive.includes(parseIp(server)?.ip ?? server));
  if (agent.leader !== "" && unseen.length < servers.length) return { step: "done", leader: agent.leader };

  const why = agent.reason === undefined ? "" : ` (${agent.reason})`;
  const lack = agent.leader === "" ? `knows no leader${why}` : "sees none of the servers";
  const reason = `its Consul agent ${lack}; wanted ${servers.join(", ")}, alive ${alive.sort().join(", ")}`;
  if (outOfTime || unseen.length === 0) return waitFor(reason);
  return { step: "join", addresses: unseen, reason };
}

/**
 * The content of `rollout-servers.json`: an agent's setting `retry_join`.
 * @param servers IP addresses, also as `10.0.0.1:8301` and `[fd00::1]:8301`
 * @throws UserError for an empty list, for whatever is no address, and for one that stands twice
 */
export function renderServersFile(servers: readonly string[]): string {
  if (servers.length === 0) {
    throw new UserError(
      "no Consul servers: the list of their addresses is empty, and an agent with an empty list finds none after a restart; nothing was changed",
    );
  }
  const problems = servers.flatMap((server, index) => [
    ...(parseIp(server) === undefined ? [`${brief(server)} is no IP address`] : []),
    ...(servers.indexOf(server) === index ? [] : [`${brief(server)} stands twice`]),
  ]);
  if (problems.length > 0) {
    throw new UserError(
      `wrong list of Consul servers: ${problems.join(", ")}; each is an address such as 10.0.0.1 or 10.0.0.1:8301, and stands once; nothing was changed`,
    );
  }
  return `${JSON.stringify({ retry_join: servers }, null, 2)}\n`;
}

const brief = (text: string): string => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
