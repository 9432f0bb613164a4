import { describe, expect, test } from "@jest/globals";
import { reviewOf, reviewSchema, type Review } from "../../../rollout/review/review.js";
import { deployedFromSpec, type Deployed } from "../../../cluster/deployed.js";
import type { Spec } from "../../../cluster/yaml/schema.js";
import { readFixture } from "../../guard/plan/plan-fixture.js";
import { LOCAL_EXAMPLE, specOf } from "../../cluster/yaml/example.js";

const base = specOf(LOCAL_EXAMPLE);
const standing = deployedFromSpec(base, "git:main", new Set());

type Raw = Record<string, Record<string, unknown>>;

/** The example with keys of some pools set. */
const withPools = (pools: Raw): Spec => {
  const merged = { ...base.pools } as Raw;
  for (const [pool, keys] of Object.entries(pools)) merged[pool] = { ...merged[pool], ...keys };
  return specOf(JSON.stringify({ ...base, pools: merged }));
};

const review = (spec: Spec, deployed: Deployed = standing, differences?: Review["differences"]): Review =>
  reviewSchema.parse(reviewOf({ spec, deployed, violations: [], ...(differences ? { differences } : {}) }));

const [A, B] = ["ami-0aaa", "ami-0bbb"];

test("a review without a state says that machines are counted from 0 where others may stand", () => {
  const surging = withPools({ "name-server": { maxSurge: 1 } });
  expect(review(surging).deployed).toBe(
    "git:main (for a review, not the state); machines are counted from 0, and others may stand where name-server has maxSurge",
  );
  expect(review(base).deployed).toBe("git:main (for a review, not the state)");
  const origin = { kind: "state", where: "terraform.demo.tfstate", serial: 7, lineage: "demo" } as const;
  expect(review(surging, { ...standing, origin }).deployed).toBe("terraform.demo.tfstate, serial 7");
});

describe("The headline of a review", () => {
  test("says that nothing changes", () => {
    expect(review(base, standing, []).headline).toBe("accepted, no group changes");
    expect(review(base, standing, []).frozen).toHaveLength(12);
  });

  test("says which group, from which image to which, and how many machines", () => {
    expect(review(withPools({ broker: { images: [A, B, A] } })).headline).toBe(
      "accepted, one group changes: broker-1 (ami-0aaa -> ami-0bbb), 3 machines replaced",
    );
  });

  test("tells growing from shrinking from both with a new image", () => {
    const of = (pool: Record<string, unknown>) => review(withPools({ broker: pool })).headline;
    expect([
      of({ hosts: [5, 3, 3] }),
      of({ hosts: [3, 1, 3] }),
      of({ hosts: [3, 3, 4], images: [A, A, B] }),
      of({ hosts: [1, 3, 3], images: [B, A, A] }),
    ]).toMatchInlineSnapshot(`
     [
       "accepted, one group changes: broker-0 (3 -> 5 hosts), 2 machines created",
       "accepted, one group changes: broker-1 (3 -> 1 hosts), 2 machines destroyed",
       "accepted, one group changes: broker-2 (ami-0aaa -> ami-0bbb, 3 -> 4 hosts), 3 machines replaced, 1 created",
       "accepted, one group changes: broker-0 (ami-0aaa -> ami-0bbb, 3 -> 1 hosts), 1 machine replaced, 2 destroyed",
     ]
    `);
  });

  test("says one after another where several groups change, and counts where there are many", () => {
    expect(review(withPools({ broker: { images: [B, B, A] } })).headline).toBe(
      "accepted, 2 groups change, one after another: broker-0 (ami-0aaa -> ami-0bbb), broker-1 (ami-0aaa -> ami-0bbb), 6 machines replaced",
    );
    const all = Object.fromEntries(Object.keys(base.pools).map((pool) => [pool, { images: [B, B, B] }]));
    expect(review(withPools(all)).headline).toBe(
      "accepted, 12 groups change, one after another: 18 machines replaced",
    );
  });

  test("names up to six groups", () => {
    const all = { images: [B, B, B] };
    const six = review(withPools({ broker: all, "name-server": all })).headline;
    expect(six).toMatch(
      /^accepted, 6 groups change, one after another: name-server-0 \(ami-0aaa -> ami-0bbb\), /,
    );
    const seven = { broker: all, "name-server": all, "nomad-server": { images: [A, A, B] } };
    expect(review(withPools(seven)).headline).toBe(
      "accepted, 7 groups change, one after another: 13 machines replaced",
    );
  });

  test("says by which rules it is rejected, each once, and that groups would change", () => {
    const violation = (rule: string) => ({ rule, message: "m", remedy: "r" });
    const violations = [violation("one-group"), violation("target-group"), violation("one-group")];
    const { headline, verdict } = reviewOf({
      spec: withPools({ broker: { images: [B, B, A] } }),
      deployed: standing,
      violations,
    });
    expect({ headline, verdict }).toMatchInlineSnapshot(`
     {
       "headline": "rejected (one-group, target-group), 2 groups would change: broker-0 (ami-0aaa -> ami-0bbb), broker-1 (ami-0aaa -> ami-0bbb), 6 machines replaced",
       "verdict": "rejected",
     }
    `);
  });

  test("counts new groups, groups that are gone, and shared parts", () => {
    const cache = { images: [A, A, A], instanceTypes: ["t", "t", "t"], hosts: [2, 1, 1] };
    const { broker, ...others } = base.pools;
    expect(broker).toBeDefined();
    const swapped = specOf(JSON.stringify({ ...base, pools: { ...others, cache } }));
    const shared = { view: "cluster", address: "aws_lb.broker", lines: ["- x", "+ y"] };
    const own = { view: "cluster", address: "terraform_data.broker-0-0", lines: ["+ y"] };
    const told = review(swapped, standing, [shared, own, { ...shared, view: "x" }]);
    expect(told.headline).toBe(
      "accepted, 3 new groups, 4 machines; 3 groups gone from the spec; 1 shared part differs",
    );
    expect(told).toMatchObject({
      gone: ["broker-0", "broker-1", "broker-2"],
      shared: ["aws_lb.broker"],
      created: [
        { name: "cache-0", image: A, machines: 2 },
        { name: "cache-1", image: A, machines: 1 },
        { name: "cache-2", image: A, machines: 1 },
      ],
    });
    const two = review(base, standing, [shared, { ...shared, address: "aws_lb.other" }]);
    expect(two.headline).toBe("accepted, 2 shared parts differ");
    expect(told.pools.at(-1)?.cells[0]).toEqual({ deployed: null, desired: A, change: null, state: "new" });
  });
});

describe("What a review says of a group", () => {
  const only = (pools: Raw) => review(withPools(pools)).groups[0];

  test("is the order of a roll, as the edges of the resources make it", () => {
    expect(only({ broker: { images: [A, B, A] } })).toMatchInlineSnapshot(`
     {
       "alsoReplaced": [
         "3 config_consul, so that the new machines know the Consul servers",
         "3 volume attachments; the data volumes themselves stay",
         "3 registrations at the load balancer",
       ],
       "change": "ami-0aaa -> ami-0bbb",
       "impact": "3 of 9 machines of broker, at once; their work is down meanwhile; drain up to 1h, bake 30s",
       "machines": {
         "created": 0,
         "destroyed": 0,
         "replaced": 3,
         "stay": 0,
       },
       "name": "broker-1",
       "steps": [
         "out of the load balancer, open connections end (up to 60 s)",
         "leave: all machines of the group ineligible, drained in Nomad, out of Consul",
         "data volumes detached",
         "3 old machines destroyed, then 3 new from ami-0bbb",
         "the same data volumes attached",
         "told of the Consul servers",
         "back into the load balancer",
         "ready: the group is whole again, or everything stops here",
         "the new revision recorded",
       ],
     }
    `);
  });

  test("is that every machine is told of a new Consul server, and none is replaced by that", () => {
    expect(only({ "consul-server": { images: [A, B, A] } })).toMatchInlineSnapshot(`
     {
       "alsoReplaced": [
         "every config_consul in the cluster (18), which tells a machine where the Consul servers are, because consul-server-1 is one and gets a new address; no other machine is replaced",
       ],
       "change": "ami-0aaa -> ami-0bbb",
       "impact": "1 of 3 machines of consul-server; leadership is handed over first; bake 30s",
       "machines": {
         "created": 0,
         "destroyed": 0,
         "replaced": 1,
         "stay": 0,
       },
       "name": "consul-server-1",
       "steps": [
         "leave: leadership handed over, out of Consul",
         "1 old machine destroyed, then 1 new from ami-0bbb",
         "told of the Consul servers; so are the other 17 machines in the cluster, side by side",
         "ready: the group is whole again, or everything stops here",
         "the new revision recorded, once every machine in the cluster has been told",
       ],
     }
    `);
  });

  test("is that a Nomad server hands its leadership over", () => {
    const told = only({ "nomad-server": { images: [A, A, B] } });
    expect(told?.alsoReplaced).toEqual(["1 config_consul, so that the new machine knows the Consul servers"]);
    expect(told?.steps).toMatchInlineSnapshot(`
     [
       "leave: leadership handed over, out of Nomad's raft, out of Consul",
       "1 old machine destroyed, then 1 new from ami-0bbb",
       "told of the Consul servers",
       "ready: the group is whole again, or everything stops here",
       "the new revision recorded",
     ]
    `);
  });

  test("is that nobody leaves a group that grows", () => {
    expect(only({ broker: { hosts: [3, 5, 3] } })).toMatchInlineSnapshot(`
     {
       "alsoReplaced": [],
       "change": "3 -> 5 hosts",
       "impact": "2 more of broker, and none goes; bake 30s",
       "machines": {
         "created": 2,
         "destroyed": 0,
         "replaced": 0,
         "stay": 3,
       },
       "name": "broker-1",
       "steps": [
         "2 machines created from ami-0aaa; the other 3 stay as they are",
         "data volumes attached, those that are there already or new ones",
         "told of the Consul servers",
         "into the load balancer",
         "ready: the group is whole again, or everything stops here",
       ],
     }
    `);
  });

  test("is that only those that go leave a group that shrinks", () => {
    expect(only({ broker: { hosts: [3, 2, 3] } })).toMatchInlineSnapshot(`
     {
       "alsoReplaced": [],
       "change": "3 -> 2 hosts",
       "impact": "1 of 9 machines of broker; their work ends; drain up to 1h, bake 30s",
       "machines": {
         "created": 0,
         "destroyed": 1,
         "replaced": 0,
         "stay": 2,
       },
       "name": "broker-1",
       "steps": [
         "out of the load balancer, open connections end (up to 60 s)",
         "leave: 1 machine ineligible, drained in Nomad, out of Consul; the other 2 stay as they are",
         "data volumes detached; they are kept",
         "1 machine destroyed",
         "ready: the group is whole again, or everything stops here",
       ],
     }
    `);
  });

  test("says that one machine stays", () => {
    const two = deployedFromSpec(withPools({ broker: { hosts: [2, 2, 2] } }), "git:main", new Set());
    const [shrinks] = review(withPools({ broker: { hosts: [2, 1, 2] } }), two).groups;
    expect(shrinks?.steps[1]).toBe(
      "leave: 1 machine ineligible, drained in Nomad, out of Consul; the other one stays as it is",
    );
  });

  test("counts those that are replaced, come and go together", () => {
    expect(only({ broker: { images: [A, B, A], hosts: [3, 5, 3] } })?.steps).toContain(
      "3 old machines destroyed, then 5 new from ami-0bbb",
    );
    expect(only({ broker: { images: [A, B, A], hosts: [3, 1, 3] } })?.steps).toContain(
      "3 old machines destroyed, then 1 new from ami-0bbb",
    );
  });

  test("names a generation, an instance type and a volume that change", () => {
    expect(only({ broker: { generations: [0, 2, 0] } })?.change).toBe("generation 0 -> generation 2");
    const types = base.pools["broker"]?.instanceTypes ?? [];
    expect(only({ broker: { instanceTypes: [types[0], "m6i.8xlarge", types[2]] } })?.change).toBe(
      `${String(types[1])} -> m6i.8xlarge`,
    );
  });
});

describe("A review against a state", () => {
  test("takes the newest revision for what is deployed, and no machine of a new group for one that stands", () => {
    const [server, broker] = ["consul-server-1", "broker-1"].map((name) => standing.groups.get(name));
    const [old] = server?.revisions ?? [];
    if (!server || !broker || !old) throw new Error("the example has no such groups");
    const rolled = {
      ...server,
      revisions: [
        { ...old, image: "ami-0old" },
        { ...old, number: 1 },
      ],
    };
    const groups = new Map([...standing.groups, [server.name, rolled]]);
    const spec = withPools({ "consul-server": { images: [A, B, A] } });
    const told = review(spec, { ...standing, groups });
    expect(told.pools.find(({ name }) => name === "consul-server")?.cells[1]?.deployed).toBe(A);
    expect(told.groups[0]?.alsoReplaced[0]).toContain("every config_consul in the cluster (18)");

    groups.set(broker.name, { ...broker, revisions: [] });
    const begun = review(spec, { ...standing, groups });
    expect(begun.groups[0]?.alsoReplaced[0]).toContain("every config_consul in the cluster (15)");
  });

  test("counts the other machines that are told, also where it is one", () => {
    const spec = withPools({ "consul-server": { images: [A, B, A] } });
    const names = ["consul-server-1", "consul-server-0", "consul-server-2"];
    const told = [2, 3].map((count) => {
      const some = names.slice(0, count).flatMap((name) => {
        const group = standing.groups.get(name);
        return group ? [[name, group] as const] : [];
      });
      const [first] = review(spec, { ...standing, groups: new Map(some) }).groups;
      return first?.steps.find((step) => step.startsWith("told of"));
    });
    expect(told).toEqual([
      "told of the Consul servers; so is the other machine in the cluster, side by side",
      "told of the Consul servers; so are the other 2 machines in the cluster, side by side",
    ]);
  });

  test("counts groups in flight apart from those that change", () => {
    const { spec, deployed } = readFixture("tainted-foreign-ready");
    const { headline, groups, inFlight } = review(spec, deployed);
    expect([groups.length, inFlight.length]).toEqual([2, 1]);
    expect(headline).toBe(
      "accepted, 2 groups change, one after another: broker-1 (to be finished), broker-0 (v1 -> v2), 2 machines replaced; 1 group in flight",
    );
    expect(review(asWas(spec, deployed), deployed).headline).toBe(
      "accepted, one group changes: broker-1 (to be finished), no machine touched; 1 group in flight",
    );
  });

  test("numbers the revision, and says nothing of shared parts", () => {
    const { spec, deployed } = readFixture("roll-clients");
    const { groups, shared } = review(spec, deployed);
    expect(groups.map(({ name }) => name)).toEqual(["broker-0"]);
    expect(groups[0]?.steps.at(-1)).toBe("revision 2 recorded");
    expect(shared).toBeNull();
  });

  test("gives the same facts as one against the spec that was deployed", () => {
    for (const name of ["roll-clients", "group-grows", "group-shrinks", "pool-added", "roll-nomad-server"]) {
      const { spec, deployed } = readFixture(name);
      const fromSpec = review(spec, deployedFromSpec(asWas(spec, deployed), "git:main", new Set()), []);
      const fromState = review(spec, deployed);
      const facts = ({ groups, frozen, created, pools: table, headline, verdict }: Review) => ({
        groups: groups.map((group) => ({
          ...group,
          steps: group.steps.map((step) => step.replace("the new revision", "revision 2")),
        })),
        frozen,
        created,
        table,
        headline,
        verdict,
      });
      expect(facts(fromState)).toEqual(facts(fromSpec));
    }
  });

  test("says which group is in flight, why, and what is still to be done", () => {
    const { spec, deployed } = readFixture("resumed-after-leave");
    const { inFlight, groups, headline } = review(spec, deployed);
    expect({ inFlight, headline, steps: groups[0]?.steps }).toMatchInlineSnapshot(`
     {
       "headline": "accepted, one group changes: broker-0 (v1 -> v2), 2 machines replaced; 1 group in flight",
       "inFlight": [
         {
           "name": "broker-0",
           "reasons": [
             "terraform_data.broker-0-leave is missing: the group has left",
             "terraform_data.broker-0-ready is missing",
             "terraform_data.broker-0-0-data-attachment is missing",
             "terraform_data.broker-0-0-target is missing",
             "terraform_data.broker-0-1-data-attachment is missing",
             "terraform_data.broker-0-1-target is missing",
           ],
         },
       ],
       "steps": [
         "out of the load balancer, open connections end (up to 300 s)",
         "the group has left already; what is done is not done again",
         "data volumes detached",
         "2 old machines destroyed, then 2 new from v2",
         "the same data volumes attached",
         "told of the Consul servers",
         "back into the load balancer",
         "ready: the group is whole again, or everything stops here",
         "revision 2 recorded",
       ],
     }
    `);
  });

  test("says that a group is to be finished which is as desired but for its gate", () => {
    const { spec, deployed } = readFixture("tainted-foreign-ready");
    const { groups } = review(asWas(spec, deployed), deployed);
    expect(groups.map(({ name, change, steps }) => ({ name, change, steps }))).toEqual([
      {
        name: "broker-1",
        change: "to be finished",
        steps: [
          "no machine is touched; what is missing around it is made",
          "ready: the group is whole again, or everything stops here",
        ],
      },
    ]);
  });

  test("says that a group goes back whose image was set back before its roll was finished", () => {
    const { spec, deployed } = readFixture("resumed-at-gate");
    const { groups, inFlight } = review(asWas(spec, deployed), deployed);
    expect({
      inFlight,
      groups: groups.map(({ change, steps }) => ({ change, steps })),
    }).toMatchInlineSnapshot(`
     {
       "groups": [
         {
           "change": "back to v1, since its roll was not finished",
           "steps": [
             "out of the load balancer, open connections end (up to 300 s)",
             "leave: all machines of the group ineligible, drained in Nomad, out of Consul",
             "data volumes detached",
             "2 old machines destroyed, then 2 new from v1",
             "the same data volumes attached",
             "told of the Consul servers",
             "back into the load balancer",
             "ready: the group is whole again, or everything stops here",
             "revision 2 recorded",
           ],
         },
       ],
       "inFlight": [
         {
           "name": "broker-0",
           "reasons": [
             "terraform_data.broker-0-ready is tainted",
           ],
         },
       ],
     }
    `);
  });

  test("says that a tainted machine is replaced although its image stays, and one that is missing is created", () => {
    const broker = standing.groups.get("broker-1");
    if (!broker) throw new Error("the example has no broker-1");
    const spoiled = {
      ...broker,
      tainted: ["terraform_data.broker-1-1"],
      hosts: broker.hosts.filter(({ number }) => number !== 2),
    };
    const deployed = { ...standing, groups: new Map([...standing.groups, ["broker-1", spoiled]]) };
    expect(review(base, deployed).groups[0]?.machines).toEqual({
      replaced: 1,
      created: 1,
      destroyed: 0,
      stay: 1,
    });
  });

  test("says that an empty one makes everything new", () => {
    const { spec, deployed } = readFixture("bootstrap");
    const { headline, frozen, groups } = review(spec, deployed);
    expect({ headline, frozen, groups }).toEqual({
      headline: "accepted, 9 new groups, 10 machines",
      frozen: [],
      groups: [],
    });
  });
});

/** A spec with the pools, images and hosts that are deployed. */
function asWas(spec: Spec, { groups }: Deployed): Spec {
  const pools = Object.fromEntries(
    Object.entries(spec.pools).flatMap(([name, pool]) => {
      const own = [0, 1, 2].flatMap((index) => groups.get(`${name}-${String(index)}`) ?? []);
      if (own.length === 0) return [];
      const images = own.map((group) => group.revisions.at(-1)?.image);
      const hosts = own.map((group) => group.hosts.length);
      return [[name, { ...pool, images, ...("hosts" in pool && pool.hosts ? { hosts } : {}) }]];
    }),
  );
  return specOf(JSON.stringify({ ...spec, pools }));
}

describe("A pool that retires", () => {
  const of = (name: string): Review => {
    const { spec, deployed } = readFixture(name);
    return review(spec, deployed);
  };

  test("is explained group by group, with what becomes of its data", () => {
    const { headline, groups } = of("retire-group");
    expect(headline).toMatchInlineSnapshot(
      `"accepted, 3 groups change, one after another: broker-0 (retires, 2 -> 0 hosts), broker-1 (retires, 1 -> 0 hosts), broker-2 (retires, 1 -> 0 hosts), 4 machines destroyed"`,
    );
    expect(groups[0]).toMatchInlineSnapshot(`
     {
       "alsoReplaced": [],
       "change": "retires, 2 -> 0 hosts",
       "impact": "2 of 4 machines of broker, at once; their work moves; drain up to 1h",
       "machines": {
         "created": 0,
         "destroyed": 2,
         "replaced": 0,
         "stay": 0,
       },
       "name": "broker-0",
       "steps": [
         "out of the load balancer, open connections end (up to 300 s)",
         "leave: all machines of the group ineligible, drained in Nomad, out of Consul",
         "data volumes detached; they are kept until the whole pool has left",
         "2 machines destroyed, and none comes back",
       ],
     }
    `);
  });

  test("ends with what is left, and says in the headline what is deleted", () => {
    const { headline, retired, created, pools } = of("retire-end");
    expect({ headline, retired, created }).toMatchInlineSnapshot(`
     {
       "created": [],
       "headline": "accepted, 1 pool retired",
       "retired": [
         {
           "deletedVolumes": [],
           "keptVolumes": [
             "terraform_data.broker-0-0-data",
             "terraform_data.broker-0-1-data",
             "terraform_data.broker-1-0-data",
             "terraform_data.broker-2-0-data",
           ],
           "pool": "broker",
         },
       ],
     }
    `);
    expect(pools.find(({ name }) => name === "broker")?.cells.map(({ state }) => state)).toEqual([
      "retired",
      "retired",
      "retired",
    ]);
    expect(of("retire-end-deleting").headline).toMatchInlineSnapshot(
      `"accepted, 1 pool retired; 4 data volumes DELETED"`,
    );
  });
});
