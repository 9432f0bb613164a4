/** A service of so many small allocations that move quickly, in the words of Nomad's API. */
export function serviceJob(id: string, count: number): object {
  return {
    ID: id,
    Name: id,
    Type: "service",
    Datacenters: ["dc1"],
    TaskGroups: [
      {
        Name: "g",
        Count: count,
        EphemeralDisk: { SizeMB: 10 },
        Migrate: {
          MaxParallel: 1,
          HealthCheck: "task_states",
          MinHealthyTime: 2_000_000_000,
          HealthyDeadline: 60_000_000_000,
        },
        Tasks: [
          {
            Name: "t",
            Driver: "raw_exec",
            Config: { command: "/bin/sh", args: ["-c", "exec sleep 100000"] },
            Resources: { CPU: 20, MemoryMB: 20 },
            LogConfig: { MaxFiles: 1, MaxFileSizeMB: 1 },
          },
        ],
      },
    ],
  };
}
