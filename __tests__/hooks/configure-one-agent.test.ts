import { describe, expect, test } from "@jest/globals";
import { configureConsul, type ConfigureConsulDeps } from "../../hooks/configure-one-agent.js";
import { UnreachableError } from "../../clients/http/errors.js";
import { CONSUL } from "../../clients/http/service.js";
import { SshFailure } from "../../clients/ssh/ssh-failure.js";
import { renderServersFile } from "../../rollout/configure-consul.js";
import { UserError } from "../../cluster/user-error.js";

const servers = ["10.0.0.1", "10.0.1.1", "10.0.2.1"];
const content = renderServersFile(servers);
const args = { host: "broker-0-0", servers, timeoutMs: 60_000 };

describe("One machine", () => {
  test("gets its list, reloads, and is left alone by the next run", async () => {
    const machine = new Machine();
    const first = await machine.configure();
    expect(machine.log).toEqual(["write", "reload"]);
    expect(first).toBe(
      "broker-0-0: its list of Consul servers is written, its agent has reloaded; its agent knows the leader 10.0.0.1:8300",
    );

    machine.log = [];
    const second = await machine.configure();
    expect(machine.log).toEqual([]);
    expect(second).toBe(
      "broker-0-0: nothing to do: its list of Consul servers is there; its agent knows the leader 10.0.0.1:8300",
    );
  });

  test("that is stuck joins the servers, and one that does not answer hinders no other", async () => {
    const machine = new Machine({ stuck: true, deaf: ["10.0.0.1"] });
    const report = await machine.configure();
    expect(machine.log).toEqual(["write", "reload", "join 10.0.1.1", "join 10.0.2.1"]);
    expect(report).toBe(
      "broker-0-0: its list of Consul servers is written, its agent has reloaded, its agent has joined 10.0.1.1, 10.0.2.1; its agent knows the leader 10.0.0.1:8300",
    );
  });

  test("that boots is waited for, and the reason is told once", async () => {
    const machine = new Machine({ boots: 3, starts: 2 });
    expect(await machine.configure()).toBe(
      "broker-0-0: its list of Consul servers is written, its agent has reloaded; its agent knows the leader 10.0.0.1:8300",
    );
    expect(machine.told).toEqual([
      "waiting: broker-0-0: cannot be reached",
      "waiting: broker-0-0: its Consul agent does not answer: connection refused",
    ]);
  });

  test("whose host key is not known yet is waited for, since it is signed or printed while it boots", async () => {
    const machine = new Machine({ boots: 2, bootsWith: "host-key-unknown" });
    expect(await machine.configure()).toMatch(/^broker-0-0: its list of Consul servers is written, /);
    expect(machine.told).toEqual(["waiting: broker-0-0: cannot be reached"]);
    const never = new Machine({ boots: Infinity, bootsWith: "host-key-unknown" });
    expect(await failure(never)).toBe(
      "Consul is not configured: broker-0-0: cannot be reached (its file was not changed; a rerun does what is left)",
    );
    expect(never.time).toBe(60_000);
  });

  test("whose connection breaks while its list is written is tried again", async () => {
    const machine = new Machine({ writes: [new SshFailure("unreachable", "broke")] });
    expect(await machine.configure()).toBe(
      "broker-0-0: its list of Consul servers is written, its agent has reloaded; its agent knows the leader 10.0.0.1:8300",
    );
    expect(machine.told).toEqual(["waiting: broker-0-0: broke"]);
  });

  test("whose agent breaks off or is not reached for its reload is tried again", async () => {
    const consul = {
      service: CONSUL,
      method: "PUT",
      path: "/v1/agent/reload",
      where: "10.0.0.7:8500",
    } as const;
    const broken = new UnreachableError({ ...consul, hasToken: true }, [], true);
    const machine = new Machine({ reloads: [broken, new SshFailure("timeout", "slow")] });
    expect(await machine.configure()).toBe(
      "broker-0-0: its list of Consul servers is written, its agent has reloaded; its agent knows the leader 10.0.0.1:8300",
    );
    expect(machine.told).toEqual([`waiting: broker-0-0: ${broken.message}`, "waiting: broker-0-0: slow"]);
    const never = new Machine({ reloads: Array.from({ length: 99 }, () => broken) });
    expect(await failure(never)).toBe(
      `Consul is not configured: broker-0-0: ${broken.message} (its list of servers is written; a rerun does what is left)`,
    );
    expect(never.time).toBe(60_000);
  });

  test("refuses to wait for ever, and says that a rerun goes on", async () => {
    const machine = new Machine({ boots: Infinity });
    expect(await failure(machine)).toBe(
      "Consul is not configured: broker-0-0: cannot be reached (its file was not changed; a rerun does what is left)",
    );
    expect(machine.time).toBe(60_000);
  });

  test("refuses to try a broken write for ever", async () => {
    const machine = new Machine({
      writes: Array.from({ length: 99 }, () => new SshFailure("timeout", "slow")),
    });
    expect(await failure(machine)).toBe(
      "Consul is not configured: broker-0-0: slow (its file was not changed; a rerun does what is left)",
    );
  });

  test("refuses to wait when nothing is going to pass", async () => {
    const invalid = new UserError("consul validate refuses it");
    expect(await failure(new Machine({ writes: [invalid] }))).toBe(
      "Consul is not configured: broker-0-0: consul validate refuses it (its file was not changed; a rerun does what is left)",
    );
    const changed = new Machine({ boots: 1, bootsWith: "host-key-changed" });
    expect(await failure(changed)).toBe(
      "Consul is not configured: broker-0-0: cannot be reached (its file was not changed; a rerun does what is left)",
    );
    expect(changed.time).toBe(0);
    const denied = new Machine({ denied: true });
    expect(await failure(denied)).toBe(
      "Consul is not configured: broker-0-0: the token lacks it (its file was not changed; a rerun does what is left)",
    );
    expect(denied.time).toBe(0);
  });

  test("refuses a reload that failed, and the next run tries it again", async () => {
    const machine = new Machine({ reloads: [new UserError("500: cannot parse agent.hcl")] });
    expect(await failure(machine)).toBe(
      "Consul is not configured: broker-0-0: 500: cannot parse agent.hcl (its list of servers is written; a rerun does what is left)",
    );
    expect(await machine.configure()).toBe(
      "broker-0-0: its agent has reloaded; its agent knows the leader 10.0.0.1:8300",
    );
  });

  test("refuses with what has been done", async () => {
    const machine = new Machine({ stuck: true, deaf: servers });
    expect(await failure(machine)).toBe(
      "Consul is not configured: broker-0-0: its Consul agent knows no leader (500: No known Consul servers); wanted 10.0.0.1, 10.0.1.1, 10.0.2.1, alive 10.0.0.7 (its list of servers is written; a rerun does what is left)",
    );
  });

  test("says what was done when it is told to end", async () => {
    const machine = new Machine({ stuck: true, deaf: servers, endsAt: 10_000 });
    expect(await failure(machine)).toBe(
      "Consul is not configured: broker-0-0: ended by SIGINT (its list of servers is written; a rerun does what is left)",
    );
  });

  test("refuses a wrong list before it does anything", async () => {
    const machine = new Machine();
    await expect(configureConsul(machine.deps, { ...args, servers: [] })).rejects.toThrow(
      /^no Consul servers: /,
    );
    expect(machine.looks).toBe(0);
  });

  test("does not hide a bug", async () => {
    const machine = new Machine({ writes: [new TypeError("bug")] });
    await expect(machine.configure()).rejects.toThrow(new TypeError("bug"));
  });
});

interface Behaviour {
  /** How many looks at its disk fail at first. */
  readonly boots?: number;
  readonly bootsWith?: "unreachable" | "host-key-unknown" | "host-key-changed";
  /** How many questions its agent does not answer at first. */
  readonly starts?: number;
  /** Its agent knows no server until it has joined one. */
  readonly stuck?: boolean;
  /** Servers that do not answer a join. */
  readonly deaf?: readonly string[];
  readonly denied?: boolean;
  /** With what writes and reloads fail at first. */
  readonly writes?: readonly Error[];
  readonly reloads?: readonly Error[];
  readonly endsAt?: number;
}

/** A machine that behaves as it is told to, on a clock that only pauses move. */
class Machine {
  log: string[] = [];
  told: string[] = [];
  time = 0;
  looks = 0;
  #content: string | undefined;
  #reloadDue = false;
  #stuck: boolean;
  #starts: number;
  readonly #writes: Error[];
  readonly #reloads: Error[];

  constructor(private readonly behaviour: Behaviour = {}) {
    this.#stuck = behaviour.stuck ?? false;
    this.#starts = behaviour.starts ?? 0;
    this.#writes = [...(behaviour.writes ?? [])];
    this.#reloads = [...(behaviour.reloads ?? [])];
  }

  configure() {
    return configureConsul(this.deps, args);
  }

  get deps(): ConfigureConsulDeps {
    const { boots = 0, bootsWith = "unreachable", endsAt = Infinity } = this.behaviour;
    return {
      file: {
        read: () => {
          this.looks += 1;
          if (this.looks <= boots) return Promise.reject(new SshFailure(bootsWith, "cannot be reached"));
          return Promise.resolve({ content: this.#content, reloadDue: this.#reloadDue });
        },
        write: (text) => {
          const error = this.#writes.shift();
          if (error) return Promise.reject(error);
          [this.#content, this.#reloadDue] = [text, true];
          expect(text).toBe(content);
          return this.#did("write");
        },
        reloaded: () => {
          this.#reloadDue = false;
          return Promise.resolve();
        },
      },
      agent: () => Promise.resolve(this.#agent),
      refusalOf: ({ message }) =>
        Promise.resolve(message === "Permission denied" ? new UserError("the token lacks it") : undefined),
      clock: {
        now: () => this.time,
        pause: (ms) => {
          this.time += ms;
          return this.time < endsAt ? Promise.resolve() : Promise.reject(new UserError("ended by SIGINT"));
        },
      },
      signal: new AbortController().signal,
      say: (line) => this.told.push(line),
    };
  }

  get #agent(): Awaited<ReturnType<ConfigureConsulDeps["agent"]>> {
    const member = (Name: string, Addr: string) => ({ Name, Addr, Status: "alive" as const, Tags: {} });
    const itself = member("broker-0-0", "10.0.0.7");
    const others = servers.map((address) => member(address, address));
    return {
      members: () => {
        if (this.behaviour.denied === true) return Promise.reject(new UserError("Permission denied"));
        this.#starts -= 1;
        if (this.#starts >= 0) return Promise.reject(new UserError("connection refused"));
        return Promise.resolve(this.#stuck ? [itself] : [itself, ...others]);
      },
      leader: () =>
        this.#stuck
          ? Promise.reject(new UserError("500: No known Consul servers"))
          : Promise.resolve("10.0.0.1:8300"),
      reload: () => {
        const error = this.#reloads.shift();
        return error ? Promise.reject(error) : this.#did("reload");
      },
      join: (address) => {
        if (this.behaviour.deaf?.includes(address) === true)
          return Promise.reject(new UserError("i/o timeout"));
        this.#stuck = false;
        return this.#did(`join ${address}`);
      },
    };
  }

  #did(what: string): Promise<void> {
    this.log.push(what);
    return Promise.resolve();
  }
}

async function failure(machine: Machine): Promise<string> {
  try {
    await machine.configure();
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  throw new Error("it did not fail");
}
