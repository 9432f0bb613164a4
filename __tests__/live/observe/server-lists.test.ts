import { getEventListeners } from "node:events";
import { expect, test } from "@jest/globals";
import { withLists } from "../../../live/observe/server-lists.js";
import { renderServersFile } from "../../../rollout/configure-consul.js";
import { UserError } from "../../../cluster/user-error.js";
import { BROKERS, observed, pick } from "../../rollout/observed.js";

const SERVERS = ["10.0.0.1", "10.0.1.1", "10.0.2.1"];
const { signal } = new AbortController();

test("a list that was right is not read again, until there are other servers; what was wrong or silent is", async () => {
  const machines = new Machines();
  machines.lists.set("broker-1-0", renderServersFile(["10.0.9.1"]));
  machines.lists.delete("broker-2-0");
  const world = observed();

  const first = await withLists(machines, world, BROKERS, signal);
  expect(machines.read()).toEqual([...BROKERS]);
  expect(first.lists).toEqual([
    { host: "broker-0-0", servers: SERVERS },
    { host: "broker-0-1", servers: SERVERS },
    { host: "broker-1-0", servers: ["10.0.9.1"] },
    { host: "broker-1-1", servers: SERVERS },
    { host: "broker-2-0", servers: { unknown: "broker-2-0 cannot be reached" } },
  ]);

  machines.lists.set("broker-1-0", renderServersFile(SERVERS));
  const second = await withLists(machines, world, BROKERS, signal, first.lists);
  expect(machines.read()).toEqual(["broker-1-0", "broker-2-0"]);
  expect(second.lists[2]).toEqual({ host: "broker-1-0", servers: SERVERS });

  const rolled = observed((one) => {
    pick(one.consul.members, "consul-server-0-0").address = "10.0.7.1";
  });
  await withLists(machines, rolled, BROKERS, signal, second.lists);
  expect(machines.read()).toEqual([...BROKERS]);
});

test.each(["{}", "{", "", '{"retry_join": "10.0.0.1"}'])(
  "a file that says %j names nobody",
  async (content) => {
    const machines = new Machines();
    machines.lists.set("broker-0-0", content);
    const { lists } = await withLists(machines, observed(), ["broker-0-0"], signal);
    expect(lists).toEqual([{ host: "broker-0-0", servers: [] }]);
  },
);

test("so many at a time, and no more: each is a connection by ssh", async () => {
  const machines = new Machines();
  const hosts = Array.from({ length: 100 }, (_, host) => `broker-0-${String(host)}`);
  for (const host of hosts) machines.lists.set(host, renderServersFile(SERVERS));
  expect((await withLists(machines, observed(), hosts, signal)).lists).toHaveLength(100);
  expect(machines.most).toBe(16);
  // Node warns of more than ten listeners, in the middle of what people read.
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

/** Machines whose files are read, and nothing else. */
class Machines {
  readonly lists = new Map(BROKERS.map((host) => [host as string, renderServersFile(SERVERS)]));
  most = 0;
  #reads: string[] = [];
  #now = 0;

  serversFile(host: string, signal: AbortSignal) {
    signal.addEventListener("abort", () => undefined);
    return Promise.resolve({
      read: async () => {
        this.#reads.push(host);
        this.most = Math.max(this.most, ++this.#now);
        await Promise.resolve();
        this.#now--;
        const content = this.lists.get(host);
        if (content === undefined) throw new UserError(`${host} cannot be reached`);
        return { content, reloadDue: false };
      },
      write: () => Promise.reject(new Error("nobody writes")),
      reloaded: () => Promise.reject(new Error("nobody reloads")),
    });
  }

  /** Since the last call. */
  read(): string[] {
    const reads = this.#reads.sort();
    this.#reads = [];
    return reads;
  }
}
