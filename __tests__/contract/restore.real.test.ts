import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, jest, test } from "@jest/globals";
import { ConsulClient } from "../../clients/consul/consul-client.js";
import type { Endpoint } from "../../clients/http/endpoint.js";
import { NomadClient } from "../../clients/nomad/nomad-client.js";
import { describeReal } from "../support/environment.js";
import { realConsul } from "./real-consul.js";
import { realNomad } from "./real-nomad.js";
import { serviceJob } from "./service-job.js";
import { eventually, type Cluster } from "./target.js";

jest.setTimeout(300_000);

let cluster: Cluster;

afterEach(async () => {
  await cluster.close();
});

/** All servers lose their disks, and what a snapshot holds is given to their successors. */
async function loseAll(
  servers: readonly string[],
  file: string,
  { url }: Pick<Endpoint, "url">,
  { path, hasLeader }: { readonly path: string; readonly hasLeader: () => Promise<boolean> },
): Promise<void> {
  for (const server of servers) await cluster.kill(server);
  for (const server of servers) await cluster.startEmpty(server);
  await eventually(cluster, "the new servers have a leader", hasLeader, 90);
  const body = await readFile(file);
  const restore = async (): Promise<boolean> => (await fetch(`${url}${path}`, { method: "PUT", body })).ok;
  // A leader that was elected a moment ago restores nothing yet.
  await eventually(cluster, "it is restored", restore, 30);
}

async function inFolder(act: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "rollout-restore-"));
  try {
    await act(join(folder, "kept.snapshot"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

describeReal("A snapshot of Consul that was kept", realConsul.needs, (real) => {
  test("is restored into three new servers, and holds what was there when it was taken", () =>
    inFolder(async (file) => {
      cluster = await realConsul.start(real);
      const at = cluster.consul(cluster.consulServers[0]);
      const consul = new ConsulClient({ endpoints: [at], access: {} });
      const hasLeader = async (): Promise<boolean> => (await consul.leader()) !== "";
      await eventually(cluster, "a leader", hasLeader, 60);
      const kv = (key: string) => fetch(`${at.url}/v1/kv/${key}?raw`);
      await fetch(`${at.url}/v1/kv/before`, { method: "PUT", body: "kept" });
      await consul.saveSnapshot(file);
      await fetch(`${at.url}/v1/kv/after`, { method: "PUT", body: "lost" });

      await loseAll(cluster.consulServers, file, at, { path: "/v1/snapshot", hasLeader });

      expect(await (await kv("before")).text()).toBe("kept");
      expect((await kv("after")).status).toBe(404);
      await consul.close();
    }));
});

describeReal("A snapshot of Nomad that was kept", realNomad.needs, (real) => {
  test("is restored into three new servers, and holds what was there when it was taken", () =>
    inFolder(async (file) => {
      cluster = await realNomad.start(real);
      const at = cluster.nomad(cluster.nomadServers[0] ?? "");
      const nomad = new NomadClient({ endpoints: [at], access: {} });
      const hasLeader = async (): Promise<boolean> =>
        (await nomad.raftConfiguration()).some(({ Leader }) => Leader);
      await eventually(cluster, "a leader", hasLeader, 60);
      await nomad.register({ ...serviceJob("before", 1), ID: "before" });
      await nomad.saveSnapshot(file);
      await nomad.register({ ...serviceJob("after", 1), ID: "after" });

      await loseAll(cluster.nomadServers, file, at, { path: "/v1/operator/snapshot", hasLeader });

      expect((await nomad.jobs()).map(({ ID }) => ID)).toEqual(["before"]);
      await nomad.close();
    }));
});
