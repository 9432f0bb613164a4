import type { ConsulAgent } from "../clients/consul/consul-agent.js";
import type { ServersFile } from "../clients/ssh/consul-servers-file.js";
import { UnreachableError } from "../clients/http/errors.js";
import { SshFailure, type SshFailureKind } from "../clients/ssh/ssh-failure.js";
import {
  nextConfigureConsulStep,
  renderServersFile,
  type SeenAgent,
  type SeenFile,
  type SeenMember,
} from "../rollout/configure-consul.js";
import { UserError } from "../cluster/user-error.js";
import type { HookContext } from "./hook-context.js";

export interface ConfigureConsulDeps extends Pick<HookContext, "clock" | "signal" | "say"> {
  readonly file: ServersFile;
  /** The machine's own agent, connected to anew for each question. */
  readonly agent: () => Promise<Pick<ConsulAgent, "reload" | "join" | "members" | "leader">>;
  /** Why an error of the agent will not pass, such as a right that the token lacks. */
  readonly refusalOf: (error: UserError) => Promise<UserError | undefined>;
}

export interface ConfigureConsulArgs {
  /** The machine's name, for messages. */
  readonly host: string;
  /** The addresses of all Consul servers. */
  readonly servers: readonly string[];
  /** For a machine that boots and an agent that starts. */
  readonly timeoutMs: number;
}

/** Between two looks. */
const EVERY_MS = 2000;

/**
 * Writes the list of Consul servers to one machine and sees that its agent has found them. Nothing is done where the list
 * is there and the agent knows a leader.
 * @returns what was done, for people
 * @throws UserError for a wrong list, and for what the machine does not allow: what has been done stays
 */
export async function configureConsul(
  deps: ConfigureConsulDeps,
  { host, servers, timeoutMs }: ConfigureConsulArgs,
): Promise<string> {
  renderServersFile(servers);
  const { clock, signal, say } = deps;
  const end = clock.now() + timeoutMs;
  const joined = new Set<string>();
  let [wrote, reloaded] = [false, false];
  let told: string | undefined;
  const done = (leader: string): string => {
    const steps = [
      ...(wrote ? ["its list of Consul servers is written"] : []),
      ...(reloaded ? ["its agent has reloaded"] : []),
      ...(joined.size > 0 ? [`its agent has joined ${[...joined].join(", ")}`] : []),
    ];
    const what = steps.join(", ") || "nothing to do: its list of Consul servers is there";
    return `${host}: ${what}; its agent knows the leader ${leader}`;
  };
  const pause = async (reason: string): Promise<void> => {
    if (reason !== told) say(`waiting: ${host}: ${reason}`);
    told = reason;
    await clock.pause(EVERY_MS, signal);
  };

  try {
    for (;;) {
      const outOfTime = clock.now() >= end;
      const file = await seeFile(deps);
      const agent = file.reached ? await seeAgent(deps) : NOT_ASKED;
      const step = nextConfigureConsulStep({ file, agent, wrote, outOfTime }, servers);
      switch (step.step) {
        case "write":
          try {
            await deps.file.write(step.content);
            wrote = true;
          } catch (error) {
            if (!mayPass(error) || outOfTime) throw error;
            await pause(error.message);
          }
          break;
        case "reload":
          try {
            await (await deps.agent()).reload();
            await deps.file.reloaded();
            reloaded = true;
          } catch (error) {
            if (outOfTime || !(error instanceof UnreachableError || mayPass(error))) throw error;
            await pause(error.message);
          }
          break;
        case "join":
          for (const address of await joinEach(deps, step.addresses)) joined.add(address);
          await pause(step.reason);
          break;
        case "wait":
          await pause(step.reason);
          break;
        case "done":
          return done(step.leader);
        case "failed":
          throw new UserError(step.reason);
      }
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const stands = wrote ? "its list of servers is written" : "its file was not changed";
    throw new UserError(
      `Consul is not configured: ${host}: ${error.message} (${stands}; a rerun does what is left)`,
    );
  }
}

const NOT_ASKED: SeenAgent = { answers: false, reason: "the machine is not reached" };

async function seeFile({ file }: ConfigureConsulDeps): Promise<SeenFile> {
  try {
    return { reached: true, ...(await file.read()) };
  } catch (error) {
    if (mayPass(error)) return { reached: false, reason: error.message };
    throw error;
  }
}

async function seeAgent(deps: ConfigureConsulDeps): Promise<SeenAgent> {
  let members: readonly SeenMember[];
  try {
    const seen = await (await deps.agent()).members(deps.signal);
    members = seen.map(({ Name, Addr, Status }) => ({ name: Name, address: Addr, status: Status }));
  } catch (error) {
    return { answers: false, reason: await passing(error, deps) };
  }
  try {
    return { answers: true, members, leader: (await (await deps.agent()).leader()) ?? "" };
  } catch (error) {
    // An agent that is stuck answers this with an error.
    return { answers: true, members, leader: "", reason: await passing(error, deps) };
  }
}

/** The reason of an error of the agent that may pass. @throws UserError for one that will not */
async function passing(error: unknown, { refusalOf }: ConfigureConsulDeps): Promise<string> {
  if (!(error instanceof UserError)) throw error;
  const isFinal: boolean = error instanceof SshFailure && !mayPass(error);
  if (isFinal) throw error;
  const refusal = await refusalOf(error);
  if (refusal) throw refusal;
  return error.message;
}

/** One address that does not answer is no reason not to join the others: the answer is the addresses that did. */
async function joinEach(deps: ConfigureConsulDeps, addresses: readonly string[]): Promise<string[]> {
  const joined: string[] = [];
  for (const address of addresses) {
    try {
      await (await deps.agent()).join(address);
      joined.push(address);
    } catch (error) {
      await passing(error, deps);
    }
  }
  return joined;
}

/** A machine that boots does not answer, or not in time, and its host key may not be signed or printed yet. */
function mayPass(error: unknown): error is SshFailure {
  return error instanceof SshFailure && BOOTING.has(error.kind);
}

const BOOTING: ReadonlySet<string> = new Set<SshFailureKind>(["unreachable", "timeout", "host-key-unknown"]);
