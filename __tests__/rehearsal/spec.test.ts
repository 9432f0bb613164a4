import { describe, expect, test } from "@jest/globals";
import { loadSpec } from "../../cluster/yaml/load.js";
import { rehearsalSpec } from "../../rehearsal/spec.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { EXAMPLE, specOf } from "../cluster/yaml/example.js";

const SIMULATED = { agents: "simulated", speed: 20 } as const;

describe("The spec of a rehearsal", () => {
  test("is the user's own on platform local, with its state beside it", () => {
    const spec = specOf(EXAMPLE);
    const { text, leftOut } = rehearsalSpec(spec, SIMULATED);
    const local = read(text);
    expect(local).toEqual({
      name: spec.name,
      platform: "local",
      local: { agents: "simulated", speed: 20 },
      backend: { type: "local", path: "terraform.demo.tfstate" },
      pools: { ...spec.pools, broker: { ...spec.pools["broker"], hosts: [2, 2, 2] } },
      rollout: spec.rollout,
      protection: "on",
    });
    expect(leftOut).toEqual(["broker: at most 2 machines a group, not 3, 3, 3"]);
  });

  test("keeps how long work may take to leave and how long a group has to hold", () => {
    const { text } = rehearsalSpec(
      broker("drain: { deadline: 7m, onDeadline: accept }\n    bake: { time: 3m }"),
      SIMULATED,
    );
    expect(read(text).pools["broker"]).toMatchObject({
      drain: { deadline: "7m", onDeadline: "accept" },
      bake: { time: "3m" },
    });
  });

  test("names no speed where agents are real", () => {
    expect(read(rehearsalSpec(specOf(EXAMPLE), { agents: "real", speed: 1 }).text)).toMatchObject({
      local: { agents: "real" },
    });
  });

  test("says what it leaves out: checks, machines beyond two a group, own resources, a queue", () => {
    const spec = {
      ...broker(
        "ready: { timeout: 9m, checks: [{ name: answers, http: 'http://{address}/' }, { name: in-sync, command: [check] }] }",
        "hosts: [5, 3, 1]",
      ),
      protection: "off" as const,
    };
    const { text, leftOut } = rehearsalSpec(
      {
        ...spec,
        rollout: { ...spec.rollout, pendingGroups: "queue", ownResources: ["monitoring", "dns/zone"] },
      },
      SIMULATED,
    );
    expect(leftOut).toEqual([
      "broker: its own checks are not asked, they need real machines: answers, in-sync",
      "broker: at most 2 machines a group, not 5, 3, 1",
      "rollout.pendingGroups is one, so that a change of two groups is refused",
      "resources of your own are left out: dns/zone, monitoring",
      "protection is on, or no group could be rolled",
    ]);
    expect(read(text)).toMatchObject({
      pools: { broker: { hosts: [2, 2, 1], ready: { timeout: "9m", checks: [] } } },
      rollout: { pendingGroups: "one", ownResources: [] },
      protection: "on",
    });
  });
});

const read = (text: string): Spec => loadSpec(new TextEncoder().encode(text), "cluster.yaml");

/** The example with something else in the place of a line of its broker pool. */
const broker = (line: string, hosts = "hosts: [3, 3, 3]"): Spec =>
  specOf(EXAMPLE.replace("workload: stays", line).replace("hosts: [3, 3, 3]", hosts));
