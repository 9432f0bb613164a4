import { ConsulClient } from "../../clients/consul/consul-client.js";
import { ConsulKv } from "../../clients/consul/consul-kv.js";
import type { Rehearsal } from "../report.js";
import { KeyValueLoad } from "./key-values.js";
import { RequestLoad } from "./requests.js";
import type { Patience } from "./tally.js";

export interface LoadOptions {
  /** Base URLs of Consul agents between commas; where one goes, the next is asked. */
  readonly consul: string;
  /** The service that requests go to. Default: none, Consul's keys alone. */
  readonly service?: string;
  /** How many times as fast as real time the cluster lives: patience is counted by the cluster's clock. */
  readonly speed: number;
}

/** While Consul servers elect a leader nothing is written: that takes some seconds, and applications wait for it. */
const PATIENCE_WITH_CONSUL = { forMs: 15_000, everyMs: 500 };

/** An instance that has just gone is in nobody's way for longer than it takes to ask another. */
const PATIENCE_WITH_A_SERVICE = { forMs: 3_000, everyMs: 500 };

/** A load that runs until it is stopped. */
export interface RunningLoad {
  /** Goes on with other agents, base URLs between commas. */
  readonly ask: (consul: string) => Promise<void>;
  /** Ends it, and reads every acknowledged write again. */
  readonly stop: () => Promise<Rehearsal["load"]>;
  /** Ends it, whatever came of it. */
  readonly abandon: () => Promise<void>;
}

/** Keeps a load on a cluster, as applications would that ask the agents of machines which stay. */
export async function startLoad({ consul, service, speed }: LoadOptions): Promise<RunningLoad> {
  let agents = await agentsAt(consul);
  const used = [agents];
  const scaled = ({ forMs, everyMs }: Patience): Patience => ({
    forMs: forMs / speed,
    everyMs: everyMs / speed,
  });
  const keys = new KeyValueLoad(() => agents.kv, scaled(PATIENCE_WITH_CONSUL));
  const requests =
    service === undefined
      ? undefined
      : new RequestLoad(() => agents.health, service, scaled(PATIENCE_WITH_A_SERVICE));
  const end = new AbortController();
  const running = Promise.all([keys.run(end.signal), requests?.run(end.signal)]);
  const abandon = async (): Promise<void> => {
    end.abort();
    await running;
    await Promise.all(used.flatMap(({ kv, health }) => [kv.close(), health.close()]));
  };
  return {
    ask: async (others) => {
      agents = await agentsAt(others);
      used.push(agents);
    },
    stop: async () => {
      end.abort();
      await running;
      try {
        return { ...(await keys.result()), requests: requests?.result ?? null };
      } finally {
        await abandon();
      }
    },
    abandon,
  };
}

async function agentsAt(consul: string): Promise<{ readonly kv: ConsulKv; readonly health: ConsulClient }> {
  const env = { CONSUL_HTTP_ADDR: consul };
  return { kv: await ConsulKv.fromEnvironment(env), health: await ConsulClient.fromEnvironment(env) };
}
