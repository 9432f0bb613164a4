import { describe, expect, test } from "@jest/globals";
import { formatRehearsal } from "../../../cli/output/rehearsal.js";
import { faultsOf, rehearsalSchema, type Rehearsal } from "../../../rehearsal/report.js";

const TALLY = { tried: 1200, failed: 0, triedAgain: 0, longest: 0.04, firstError: null };

const PASSED: Rehearsal = {
  verdict: "passed",
  cluster: "demo",
  agents: "simulated",
  speed: 20,
  machines: 18,
  terraform: "Terraform 1.11.4",
  leftOut: [],
  seconds: 41.26,
  steps: [
    {
      step: "create",
      group: null,
      change: null,
      machines: ["consul-server-0-0", "name-server-0-0"],
      seconds: 14.2,
      phases: [{ what: "consul-server: machines", count: 3, begins: 0, ends: 0.1 }],
      refusal: null,
      problems: [],
    },
    {
      step: "roll",
      group: "name-server-0",
      change: "ami-0aaa -> ami-0aaa-next",
      machines: ["name-server-0-0"],
      seconds: 9.94,
      phases: [
        { what: "work leaves, then the agents", count: 1, begins: 0.02, ends: 3.4 },
        { what: "machine destroyed", count: 1, begins: 3.5, ends: 3.51 },
      ],
      refusal: null,
      problems: [],
    },
    {
      step: "refuse",
      group: null,
      change: "broker-1 and consul-server-2",
      machines: [],
      seconds: 0.21,
      phases: [],
      refusal:
        "one-group: 2 groups are pending, one may be: broker-1 (ami-0aaa -> ami-0aaa-next), consul-server-2 (ami-0aaa -> ami-0aaa-next); set all but one back",
      problems: [],
    },
  ],
  load: {
    writes: { ...TALLY, acknowledged: 1200, lost: [] },
    reads: { ...TALLY, tried: 400, triedAgain: 2, firstError: "500 No cluster leader" },
    requests: TALLY,
  },
  kept: null,
  work: { moved: 1, movedTwice: [] },
};

describe("The report of a rehearsal", () => {
  test("says what was done, how long each part took, and what the load saw", () => {
    const text = formatRehearsal(PASSED);
    expect(text).toMatchInlineSnapshot(`
     "rehearsal of demo: passed, in 41.3 s
     18 machines on this one, with simulated agents that live 20 times as fast: 1 s
     here is 20 s there; Terraform 1.11.4

     create the cluster: 2 machines                                            14.2 s
          0.0 -   0.1 s    3 x consul-server: machines

     roll name-server-0: 1 machine, ami-0aaa -> ami-0aaa-next                   9.9 s
          0.0 -   3.4 s    1 x work leaves, then the agents
          3.5 -   3.5 s    1 x machine destroyed

     refuse a change of broker-1 and consul-server-2                            0.2 s
       one-group: 2 groups are pending, one may be: broker-1 (ami-0aaa ->
       ami-0aaa-next), consul-server-2 (ami-0aaa -> ami-0aaa-next); set all but one
       back

     under load               asked  failed  tried again  longest
     writes of Consul keys    1200   0       0            0.0 s
     reads of Consul keys     400    0       2            0.0 s
     requests to the service  1200   0       0            0.0 s
     acknowledged writes lost: 0 of 1200
     work moved twice: 0 of 1 moves
       the first that did not succeed at once: 500 No cluster leader

     Everything is stopped and removed."
    `);
    expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);
    expect(rehearsalSchema.parse(PASSED)).toEqual(PASSED);
    expect(faultsOf(PASSED)).toEqual([]);
  });

  test("ends with what is not as it should be, what is left out, and where the cluster is kept", () => {
    const [create, roll, refuse] = PASSED.steps;
    if (!create || !roll || !refuse) throw new Error("three steps");
    const failed: Rehearsal = {
      ...PASSED,
      verdict: "failed",
      agents: "real",
      speed: 1,
      leftOut: ["broker: at most 2 machines a group, not 5, 3, 1"],
      steps: [create, { ...roll, problems: ["machines: got 2; expected 1"] }],
      load: {
        writes: { ...TALLY, failed: 3, acknowledged: 1197, lost: ["rollout-rehearsal/0/00000007"] },
        reads: { ...TALLY, failed: 1 },
        requests: { ...TALLY, failed: 2, firstError: "fetch failed: connection refused" },
      },
      work: { moved: 2, movedTwice: ["web.server[0]: broker-0-0 -> broker-0-1 -> broker-1-0"] },
      kept: {
        folder: "/tmp/rollout-rehearsal-abc",
        consul: "http://127.0.0.1:7001/consul,http://127.0.0.1:7002/consul",
        nomad: "http://127.0.0.1:7004/nomad",
      },
    };
    const text = formatRehearsal(failed);
    expect(text.slice(text.indexOf("under load"))).toMatchInlineSnapshot(`
     "under load               asked  failed  tried again  longest
     writes of Consul keys    1200   3       0            0.0 s
     reads of Consul keys     1200   1       0            0.0 s
     requests to the service  1200   2       0            0.0 s
     acknowledged writes lost: 1 of 1197
     work moved twice: 1 of 2 moves
       web.server[0]: broker-0-0 -> broker-0-1 -> broker-1-0
       the first that did not succeed at once: fetch failed: connection refused

     other than in the spec:
       broker: at most 2 machines a group, not 5, 3, 1

     not as it should be:
       roll name-server-0: machines: got 2; expected 1
       writes that failed: 3
       reads that failed: 1
       requests that failed: 2
       acknowledged writes that were lost: 1
       work that was moved twice: 1

     The cluster is kept:
       folder  /tmp/rollout-rehearsal-abc
       consul  http://127.0.0.1:7001/consul
               http://127.0.0.1:7002/consul
       nomad   http://127.0.0.1:7004/nomad
       status  CLUSTER=/tmp/rollout-rehearsal-abc/cluster.yaml npx rollout status
       remove  npx rollout rehearse --clean"
    `);
    expect(
      faultsOf({
        ...PASSED,
        load: {
          ...PASSED.load,
          writes: { ...PASSED.load.writes, tried: 0 },
          requests: { ...TALLY, tried: 0 },
        },
      }),
    ).toEqual(["nothing was written", "nothing was requested"]);
  });
});
