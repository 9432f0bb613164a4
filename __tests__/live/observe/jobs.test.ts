import { expect, test } from "@jest/globals";
import { observeJobs } from "../../../live/observe/jobs.js";
import { Allocation, CsiVolume, Job } from "../../../clients/nomad/schemas.js";
import { notWhole } from "../../../rollout/leave/work-whole.js";

test("running counts as healthy where people decide on it and have not, and only there", async () => {
  expect(await countOf("manual", [true, null, undefined])).toEqual({ running: 3, healthy: 3 });
  expect(await countOf("manual", [true, false, null])).toEqual({ running: 3, healthy: 2 });
  expect(await countOf("checks", [true, null, undefined])).toEqual({ running: 3, healthy: 1 });
  expect(await countOf(undefined, [true, false, undefined])).toEqual({ running: 3, healthy: 1 });
});

test("what does not run is not healthy, whoever decides on it", async () => {
  expect(await countOf("manual", [null, null], "pending")).toEqual({ running: 0, healthy: 0 });
});

test("work that nobody calls healthy holds no leave, and work that is missing does", async () => {
  expect(notWhole(lost, await observe("manual", [true, null, null]))).toEqual([]);
  expect(notWhole(lost, await observe("manual", [true, null]))).toEqual([
    "default/web.g: 2 of 3 running, 2 healthy",
  ]);
  expect(notWhole(lost, await observe("manual", [true, true, false]))).toEqual([
    "default/web.g: 3 of 3 running, 2 healthy",
  ]);
});

test("a canary stands for no work that is wanted, whether it is healthy or not", async () => {
  const canary = { isCanary: true } as const;
  expect(await countOf("checks", [true, true, canary])).toEqual({ running: 2, healthy: 2 });
  expect(notWhole(lost, await observe("checks", [true, true, canary]))).toEqual([
    "default/web.g: 2 of 3 running, 2 healthy",
  ]);
});

test("a task group wants what its job and its tasks want, and is bound to its CSI volumes", async () => {
  const constraint = (LTarget: string) => ({ LTarget, Operand: "is_set", RTarget: "" });
  const csi = { Type: "csi", PerAlloc: false };
  const stub = { ID: "db", Name: "db", Namespace: "data", Type: "service", Status: "running", Version: 3 };
  const job = Job.parse({
    ...stub,
    Datacenters: ["dc1"],
    NodePool: "big",
    Constraints: [constraint("job")],
    TaskGroups: [
      {
        ...{ Name: "g", Count: 2, Constraints: [constraint("group")], Migrate: { MaxParallel: 2 } },
        Volumes: {
          ...{ data: { ...csi, Source: "disk" }, each: { ...csi, Source: "own", PerAlloc: true } },
          ...{ logs: { Type: "host", Source: "disk-2" } },
        },
        Tasks: [{ Constraints: [constraint("task")] }, { KillTimeout: 3e9, Constraints: null }],
      },
    ],
  });
  const allocation = (ID: string, more: object) =>
    Allocation.parse({
      ...{ ID, Namespace: "data", JobID: "db", TaskGroup: "g", NodeID: "old", JobVersion: 3 },
      ...{ DesiredStatus: "run", ClientStatus: "running", ...more },
    });
  const volume = (ID: string, more: object = {}) =>
    CsiVolume.parse({
      ...{ ID, Namespace: "data", PluginID: "ebs", Topologies: [{ Segments: { zone: "a" } }] },
      ...more,
    });
  const volumes = [
    volume("disk"),
    volume("disk", { Namespace: "other", PluginID: "efs" }),
    volume("disk-2"),
    volume("own"),
  ];
  const look = async (known: Parameters<typeof observeJobs>[4], ...more: object[]) => {
    const all = [allocation("a", {}), ...more.map((each, index) => allocation(`b${String(index)}`, each))];
    return (await observeJobs({ job: () => Promise.resolve(job) }, [job], new Set(["old"]), all, known))[0];
  };

  expect(await look(volumes)).toMatchObject({
    ...{ datacenters: ["dc1"], pool: "big" },
    groups: [
      {
        ...{ isUpdating: false, on: ["old"], maxParallel: 2, killTimeoutSeconds: 3 },
        constraints: [constraint("job"), constraint("group"), constraint("task")],
        volumes: [{ plugin: "ebs", topologies: [{ zone: "a" }] }],
      },
    ],
  });
  expect((await look({ unknown: "403" }))?.groups[0]?.volumes).toEqual([]);
  expect((await look([], { NodeID: "new" }))?.groups[0]).toMatchObject({
    on: ["old", "new"],
    isUpdating: false,
  });
  const canary = { DeploymentStatus: { Canary: true } };
  expect((await look([], canary))?.groups[0]).toMatchObject({ on: ["old"], isUpdating: true });
  expect((await look([], { JobVersion: 2 }))?.groups[0]).toMatchObject({ isUpdating: true });
  const over = { JobVersion: 2, ClientStatus: "complete" };
  expect((await look([], over))?.groups[0]).toMatchObject({ on: ["old"], isUpdating: false });
});

const lost = [
  {
    id: "lost",
    node: "old",
    job: "web",
    namespace: "default",
    taskGroup: "g",
    clientStatus: "complete",
    desiredStatus: "stop",
    since: 0,
  },
] as const;

/** A job of three, as Nomad describes it, with so many allocations on nodes that stay. */
async function observe(
  healthCheck: string | undefined,
  healthy: readonly (boolean | null | undefined | { readonly isCanary: true })[],
  ClientStatus = "running",
) {
  const stub = { ID: "web", Name: "web", Namespace: "default", Type: "service", Status: "running" };
  const Update = healthCheck === undefined ? null : { HealthCheck: healthCheck, MaxParallel: 1 };
  const job = Job.parse({ ...stub, TaskGroups: [{ Name: "g", Count: 3, Update }] });
  const allocation = (ID: string, more: object) =>
    Allocation.parse({
      ID,
      Namespace: "default",
      JobID: "web",
      TaskGroup: "g",
      NodeID: "new",
      DesiredStatus: "run",
      ClientStatus,
      ...more,
    });
  const allocations = [
    allocation("lost", { NodeID: "old", DesiredStatus: "stop", ClientStatus: "complete" }),
    ...healthy.map((value, index) =>
      allocation(
        `a${String(index)}`,
        value === undefined
          ? {}
          : {
              DeploymentStatus:
                typeof value === "object" && value ? { Healthy: true, Canary: true } : { Healthy: value },
            },
      ),
    ),
  ];
  const nomad = { job: () => Promise.resolve(job) };
  return observeJobs(nomad, [job], new Set(["old"]), allocations, []);
}

async function countOf(...args: Parameters<typeof observe>): Promise<object> {
  const [job] = await observe(...args);
  const { running, healthy } = job?.groups[0] ?? {};
  return { running, healthy };
}
