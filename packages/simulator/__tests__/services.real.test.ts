import { afterEach, describe, expect, test } from "@jest/globals";
import * as z from "zod";
import { startSimulator, type Simulator } from "../http/simulator.js";
import { ask, bodyOf, BROKERS, CONSUL_SERVERS, machine, NOMAD_SERVERS, put, steadyCluster } from "./world.js";

const [A, B] = BROKERS;
const [SERVER] = NOMAD_SERVERS;
let simulator: Simulator | undefined;

afterEach(async () => {
  await simulator?.close();
  simulator = undefined;
});

describe("the service of a job", () => {
  test("is in Consul where an allocation of it runs, and goes before its task does", () => {
    const cluster = steadyCluster();
    expect(registered(cluster)).toEqual([]);
    put(cluster, SERVER, "/nomad/v1/jobs", { Job: job() });
    cluster.advance(1_000);
    expect(registered(cluster)).toEqual([A]);
    expect(cluster.serves(A, "web")).toEqual(expect.stringMatching(/^[0-9a-f-]{36}$/));
    expect(cluster.serves(B, "web")).toBeUndefined();

    ask(cluster, SERVER, "/nomad/v1/job/web", { method: "DELETE" });
    expect(registered(cluster)).toEqual([]);
    expect(cluster.serves(A, "web")).toEqual(expect.any(String));
    cluster.advance(1_900);
    expect(cluster.serves(A, "web")).toEqual(expect.any(String));
    cluster.advance(400);
    expect(cluster.serves(A, "web")).toBeUndefined();
  });

  test("is out of the health queries when its machine has gone", () => {
    const cluster = steadyCluster();
    cluster.runJob(job());
    cluster.advance(1_000);
    cluster.killMachine(A);
    expect(cluster.serves(A, "web")).toBeUndefined();
    cluster.advance(40_000);
    expect(registered(cluster)).toEqual([B]);
  });

  test("answers at the address that Consul gives, while its allocation runs there", async () => {
    const names = [...CONSUL_SERVERS, ...NOMAD_SERVERS, A];
    simulator = await startSimulator({ machines: names.map((name) => machine(name)) });
    simulator.advance(31_000);
    const base = simulator.url(A);
    await expect(fetch(`${base}/service/web`)).rejects.toThrow("fetch failed");
    simulator.do(() => simulator?.cluster.runJob(job()));
    simulator.advance(1_000);

    const health = await fetch(`${base}/consul/v1/health/service/web?passing`);
    const [instance] = healthSchema.parse(await health.json());
    expect(`http://${instance?.Service.Address ?? ""}:${String(instance?.Service.Port)}`).toBe(base);
    const answer = await fetch(`${base}/service/web`);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toMatch(/^web on broker-0-0, allocation [0-9a-f-]{36}\n$/);
    await expect(fetch(`${base}/service/other`)).rejects.toThrow("fetch failed");
    await expect(fetch(`${simulator.url(SERVER)}/service/web`)).rejects.toThrow("fetch failed");
  });
});

const healthSchema = z.array(
  z.object({
    Node: z.object({ Node: z.string() }),
    Service: z.object({ Address: z.string(), Port: z.number() }),
  }),
);

const registered = (cluster: ReturnType<typeof steadyCluster>): string[] =>
  bodyOf(ask(cluster, CONSUL_SERVERS[0], "/consul/v1/health/service/web?passing"), healthSchema).map(
    ({ Node }) => Node.Node,
  );

const job = () => ({
  ID: "web",
  TaskGroups: [
    { Count: 1, Services: [{ Name: "web" }], Tasks: [{ Name: "server", ShutdownDelay: 2_000_000_000 }] },
  ],
});
