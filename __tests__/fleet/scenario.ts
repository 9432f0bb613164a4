import { inspect } from "node:util";
import { ask } from "./ask.js";
import type { DemoCluster } from "./demo-cluster.js";

/** What a scenario came to. */
export interface Row {
  readonly scenario: string;
  readonly seconds: number;
  readonly requests: number;
  readonly failed: number;
  /** Of each request that failed: when, who was asked, for how long, and what came of it. */
  readonly failures: readonly string[];
  readonly writes: number;
  /** Not acknowledged; whoever writes tries again. */
  readonly refused: number;
  /** Acknowledged, and not there afterwards. */
  readonly lost: number;
  readonly movedTwice: number;
}

/** What is rolled. */
interface Cluster {
  readonly fleet: Pick<DemoCluster["fleet"], "machines">;
  readonly tokens: Readonly<Record<"consul" | "nomad", string>>;
  /** Where Nomad's API is on each machine. @default without TLS */
  readonly nomad?: string;
}

interface Service {
  readonly Node: { readonly Address: string };
}

interface Allocation {
  readonly Name: string;
  readonly CreateTime: number;
}

/** Counts while something is done to the cluster: requests to the work that Consul names, writes to Consul, moves of work. */
export class Scenario {
  #ending = false;
  #requests = 0;
  readonly #failures: string[] = [];
  #refused = 0;
  readonly #acknowledged: string[] = [];
  /** Of its keys. */
  readonly #folder: string;

  constructor(
    private readonly cluster: Cluster,
    private readonly name: string,
  ) {
    this.#folder = name.replaceAll(" ", "-");
  }

  async count(act: () => Promise<void>): Promise<Row> {
    const since = Date.now() * 1e6;
    const begun = performance.now();
    const loads = [this.#request(), this.#write()];
    try {
      await act();
    } finally {
      this.#ending = true;
      await Promise.all(loads);
    }
    const seconds = Math.round((performance.now() - begun) / 1000);
    const stored = new Set(
      (await this.#ask("server", `:8500/v1/kv/${this.#folder}?keys`, "consul")) as string[],
    );
    const allocations = (await this.#ask(
      "nomad-server",
      `${this.cluster.nomad ?? ":4646"}/v1/allocations?namespace=*`,
      "nomad",
    )) as Allocation[];
    const moved = allocations.filter(({ CreateTime }) => CreateTime > since).map(({ Name }) => Name);
    return {
      scenario: this.name,
      seconds,
      requests: this.#requests,
      failed: this.#failures.length,
      failures: this.#failures,
      writes: this.#acknowledged.length + this.#refused,
      refused: this.#refused,
      lost: this.#acknowledged.filter((key) => !stored.has(key)).length,
      movedTwice: moved.length - new Set(moved).size,
    };
  }

  /** What Consul calls healthy is asked, each in turn. */
  async #request(): Promise<void> {
    while (!this.#ending) {
      const found = await this.#ask("web", ":8500/v1/health/service/web?passing", "consul").catch(() => []);
      const known = (found as Service[]).map(({ Node }) => Node.Address);
      for (let number = 0; number < 10 && known.length > 0; number++) {
        const address = known[number % known.length] ?? "";
        this.#requests += 1;
        const [at, since] = [new Date().toISOString(), performance.now()];
        const failure = await fetch(`http://${address}:8080/`, {
          signal: AbortSignal.timeout(3000),
          method: "HEAD",
        }).then(
          ({ ok, status }) => (ok ? undefined : String(status)),
          (error: unknown) => inspect(error, { compact: true, breakLength: Infinity }),
        );
        const ms = String(Math.round(performance.now() - since));
        if (failure !== undefined) this.#failures.push(`${at} ${address} after ${ms} ms: ${failure}`);
        await pause(50);
      }
      await pause(50);
    }
  }

  /** By the machines' own agents, each in turn. */
  async #write(): Promise<void> {
    for (let number = 0; !this.#ending; number++) {
      const key = `${this.#folder}/${String(number)}`;
      const written = await this.#ask("(web|broker)", `:8500/v1/kv/${key}`, "consul", key, number).catch(
        () => false,
      );
      if (written === true) this.#acknowledged.push(key);
      else this.#refused += 1;
      await pause(100);
    }
  }

  #ask(hosts: string, url: string, token: "consul" | "nomad", value?: string, number = 0): Promise<unknown> {
    const machines = this.cluster.fleet.machines(new RegExp(hosts));
    const machine = machines[number % machines.length];
    if (machine === undefined) throw new Error(`no machine is up as ${hosts}`);
    return ask(machine, value === undefined ? "GET" : "PUT", url, this.cluster.tokens[token], value);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
