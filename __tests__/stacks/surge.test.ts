import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { App } from "cdktf";
import { hostName } from "../../cluster/address.js";
import { withDead, type Deployed, type DeployedHost } from "../../cluster/deployed.js";
import { UserError } from "../../cluster/user-error.js";
import { findGroup } from "../../cluster/find-group.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { refusalOf } from "../../program/program.js";
import { refuseInSurge, takeBack } from "../../rollout/edit/take-back.js";
import { nextInGroup } from "../../rollout/roll/next-step.js";
import { addViews } from "../../stacks/add-views.js";
import {
  change,
  deployedAs,
  groupIn,
  localSpec,
  poolOf,
  resourceIn,
  type Tamper,
  withGroup,
} from "../support/fixtures.js";

const GROUP = "name-server-0";
const [LEAVE, READY] = [`terraform_data.${GROUP}-leave`, `terraform_data.${GROUP}-ready`];

/** Two machines, which get another image, one more at a time. */
const before = change(localSpec(), (edited) => {
  Object.assign(poolOf(edited, "name-server"), { hosts: [2, 1, 1], maxSurge: 1 });
});
const spec = change(before, (edited) => {
  poolOf(edited, "name-server").images[0] = "ami-0bbb";
});
const [OLD, NEW] = [findGroup(before, GROUP).hash, findGroup(spec, GROUP).hash];
const standing = told(deployedAs(before), { hash: OLD, hosts: names(0, 1) });
/** Once the new one was made. */
const added = with2(standing);
/** The step that is to come: the first old one goes. */
const REMOVES = { numbers: [1, 2], laterHosts: [hostName(GROUP, 1)] };
const ADDS = { numbers: [0, 1, 2], laterHosts: [hostName(GROUP, 0), hostName(GROUP, 1)] };

describe("the view that adds", () => {
  const view = viewOf(spec, standing, ADDS);

  test("has the new machine beside the old ones, which are frozen, and so is leave", () => {
    const frozen = { prevent_destroy: true, ignore_changes: "all" };
    expect(view.get(`terraform_data.${GROUP}-2`)).toMatchObject({ triggers_replace: NEW });
    for (const host of [0, 1])
      expect(view.get(`terraform_data.${GROUP}-${String(host)}`)).toMatchObject({
        triggers_replace: OLD,
        lifecycle: frozen,
      });
    expect(view.get(LEAVE)).toMatchObject({ lifecycle: frozen });
    expect(view.get(READY)).not.toHaveProperty("lifecycle");
  });

  test("says which machines there are", () => {
    expect(view.get("variable.rollout_numbers")).toMatchObject({ default: [0, 1, 2] });
    expect(view.get(`terraform_data.${GROUP}-revision`)).toMatchObject({
      input: { completed: { numbers: [0, 1, 2] } },
    });
  });
});

describe("a machine that was seen dead", () => {
  const dead = (deployed: Deployed, host: number): Deployed =>
    withDead(deployed, { name: GROUP, platform: "local", ids: new Set([`i-${hostName(GROUP, host)}`]) });

  test("is dropped, if it is old, and keeps no other from work", () => {
    const view = viewOf(spec, dead(added, 0), { numbers: [1, 2], laterHosts: [hostName(GROUP, 1)] });
    expect(view.has(`terraform_data.${GROUP}-0`)).toBe(false);
    expect(view.get(LEAVE)).toMatchObject({ lifecycle: { prevent_destroy: true } });
  });

  test("is made again, if it is new, likewise", () => {
    const view = viewOf(spec, dead(added, 2), ADDS);
    expect(view.get(`terraform_data.${GROUP}-2`)).not.toHaveProperty("lifecycle.prevent_destroy");
    expect(view.get(LEAVE)).toMatchObject({ lifecycle: { prevent_destroy: true } });
  });

  test("has leave run where it is only tainted", () => {
    const tainted = withGroup(added, GROUP, { tainted: [`terraform_data.${GROUP}-2`] });
    expect(viewOf(spec, tainted, ADDS).get(LEAVE)).not.toHaveProperty("lifecycle");
  });
});

describe("the view that removes", () => {
  const view = viewOf(spec, added, REMOVES);

  test("drops the old machine, and has leave run for it", () => {
    expect(view.has(`terraform_data.${GROUP}-0`)).toBe(false);
    expect(view.get(LEAVE)).not.toHaveProperty("lifecycle");
    expect(view.get(LEAVE)).toMatchObject({
      triggers_replace: { hash: NEW, hosts: names(1, 2), waiting: names(1) },
    });
    expect(JSON.stringify(view.get(LEAVE))).toContain(
      `hook leave ${GROUP} --hash ${NEW} --stay ${names(1, 2)} --waiting ${names(1)}`,
    );
  });
});

describe("a group that goes back before an old machine has left", () => {
  test("keeps its generation, and its surplus leaves by a leave that was made for the same", () => {
    expect(takeBack(findGroup(spec, GROUP), groupIn(added, GROUP), false)).toMatchObject({
      change: { image: "ami-0aaa", generation: 0 },
    });
    const view = viewOf(before, added, {});
    expect(view.has(`terraform_data.${GROUP}-2`)).toBe(false);
    expect(view.get(LEAVE)).toMatchObject({
      triggers_replace: { hash: OLD, hosts: names(0, 1), attempt: "1" },
    });
  });

  test("has leave run, too, where a new machine gives its number back to an old one", () => {
    const swapped = withGroup(added, GROUP, {
      hosts: groupIn(added, GROUP).hosts.flatMap((host) =>
        host.number === 1 ? [] : host.number === 2 ? { ...host, number: 1, name: hostName(GROUP, 1) } : host,
      ),
    });
    expect(viewOf(before, swapped, {}).get(LEAVE)).toMatchObject({
      triggers_replace: { hash: OLD, hosts: names(0, 1), attempt: "1" },
    });
  });

  test("carries that number from then on", () => {
    const back = told(standing, { hash: OLD, hosts: names(0, 1), attempt: 1 });
    expect(viewOf(before, back, {}).get(LEAVE)).toMatchObject({ triggers_replace: { attempt: "1" } });
  });

  test("keeps its generation, too, where all new ones were ended outside, and nothing is to be replaced", () => {
    const { hosts } = groupIn(added, GROUP);
    const ended = withGroup(added, GROUP, { hosts: hosts.filter(({ hash }) => hash === OLD) });
    expect(takeBack(findGroup(spec, GROUP), groupIn(ended, GROUP), false)).toMatchObject({
      change: { image: "ami-0aaa", generation: 0 },
    });
    expect(nextInGroup(before, ended, GROUP)).toEqual({ kind: "gate" });
    // Of a group whose leave was made anew for another template nobody knows that.
    const left = told(ended, { hash: NEW, hosts: names(1, 2) });
    expect(takeBack(findGroup(spec, GROUP), groupIn(left, GROUP), false)).toMatchObject({
      change: { generation: 1 },
    });
  });

  test("is replaced whole once one has", () => {
    const left = told(added, { hash: NEW, hosts: names(1, 2), waiting: names(1) });
    expect(takeBack(findGroup(spec, GROUP), groupIn(left, GROUP), false)).toMatchObject({
      change: { generation: 1 },
    });
  });
});

test("refuses a third image while new machines of a second stand beside the old ones, and no undo", () => {
  const third = (image: string, generation = 0) =>
    findGroup(
      change(before, (edited) => {
        const pool = poolOf(edited, "name-server");
        pool.images[0] = image;
        pool.generations = [generation, 0, 0];
      }),
      GROUP,
    );
  const current = groupIn(added, GROUP);
  expect(() => {
    refuseInSurge(third("ami-0ccc"), current, 1);
  }).toThrow(
    new UserError(
      "name-server-0 is not rolled to ami-0ccc: name-server-0-2 of ami-0bbb came beside its old machines, which are all at work; first: rollout undo name-server-0 and rollout deploy name-server-0, then this again",
    ),
  );
  for (const group of [third("ami-0bbb"), third("ami-0aaa"), third("ami-0aaa", 1)])
    expect(() => {
      refuseInSurge(group, current, 1);
    }).not.toThrow();
  // Once an old one was asked to leave it goes on.
  const left = told(added, { hash: NEW, hosts: names(1, 2), waiting: names(1) });
  expect(() => {
    refuseInSurge(third("ami-0ccc"), groupIn(left, GROUP), 1);
  }).not.toThrow();
});

test("refuses fewer machines in the middle of a surge, or together with another image, and no undo", () => {
  const fewer = (image: string, hosts: number, generation = 0) =>
    findGroup(
      change(before, (edited) => {
        const pool = poolOf(edited, "name-server");
        Object.assign(pool, { hosts: [hosts, 1, 1], generations: [generation, 0, 0] });
        pool.images[0] = image;
      }),
      GROUP,
    );
  const refuse = (group: ReturnType<typeof fewer>, deployed: Deployed, maxSurge = 1): string => {
    try {
      refuseInSurge(group, groupIn(deployed, GROUP), maxSurge);
      return "";
    } catch (error) {
      return error instanceof UserError ? error.message : String(error);
    }
  };
  expect(refuse(fewer("ami-0bbb", 1), added)).toMatchInlineSnapshot(
    `"name-server-0 has 3 machines in the middle of its roll to ami-0bbb, and 1 are too few for that with maxSurge: 1; first: put the number back and run rollout deploy name-server-0, or go back by rollout undo name-server-0"`,
  );
  expect(refuse(fewer("ami-0bbb", 1), standing)).toMatchInlineSnapshot(
    `"name-server-0 is to get ami-0bbb and fewer machines (2 -> 1) at once, so that old ones would leave before a new one stands; first: put one of both back and run rollout deploy name-server-0, then the other"`,
  );
  expect(refuse(fewer("ami-0bbb", 2), added)).toBe("");
  expect(refuse(fewer("ami-0bbb", 2), standing)).toBe("");
  expect(refuse(fewer("ami-0aaa", 1), standing)).toBe("");
  expect(refuse(fewer("ami-0aaa", 1, 1), added)).toBe("");
  expect(refuse(fewer("ami-0bbb", 1), added, 0)).toBe("");
  const { hosts, revisions } = groupIn(added, GROUP);
  const more = hosts.slice(-1).map((host) => ({ ...host, number: 3, name: `${GROUP}-3` }));
  const recorded = revisions.map((revision) => ({ ...revision, hosts: 2 }));
  const two = withGroup(added, GROUP, { hosts: [...hosts, ...more], revisions: recorded });
  expect(refuse(fewer("ami-0bbb", 2), two)).toBe("");
  expect(refuse(fewer("ami-0bbb", 1), two)).toContain("and 1 are too few");
});

test("a plain view is of the whole group, under the numbers of its new machines first", () => {
  const view = viewOf(spec, added, {});
  expect(view.get("variable.rollout_numbers")).toMatchObject({ default: [0, 2] });
  expect(view.get(LEAVE)).toMatchObject({ triggers_replace: { hash: NEW, hosts: names(0, 2) } });
  expect(warningsOf(spec, standing)).toContain(
    `by cdktf ${GROUP} is replaced whole, in its one apply; for new machines first (pools.name-server.maxSurge): npx rollout deploy ${GROUP}`,
  );
  expect(warningsOf(before, standing)).not.toContain("by cdktf");
});

describe("the guard", () => {
  test.each([
    [
      "more machines than may stand",
      [standing, { ...ADDS, numbers: [0, 1, 2, 3] }],
      "would be 4, 2 of them at work now, PACE: name-server-0-2, name-server-0-3",
    ],
    [
      "an old machine that goes before a new one stands",
      [standing, { numbers: [1], laterHosts: [hostName(GROUP, 1)] }],
      "would be 1, 1 of them at work now, PACE: name-server-0-0",
    ],
    [
      "two old ones that go for one that is new",
      [added, { numbers: [2], laterHosts: [] }],
      "would be 1, 1 of them at work now, PACE: name-server-0-0, name-server-0-1",
    ],
    [
      "an old one that goes for a new one that is half made",
      [withGroup(added, GROUP, { completed: { attempt: 1, hosts: "", gate: "closed" } }), REMOVES],
      "would be 2, 1 of them at work now, PACE: name-server-0-0",
    ],
    [
      "a new one that goes",
      [added, { numbers: [0, 1, 3], laterHosts: ADDS.laterHosts }],
      "would be 3, 2 of them at work now, PACE: name-server-0-2",
    ],
  ] as const)("refuses %s", (_, [deployed, step], why) => {
    const pace = "and pools.name-server.maxSurge is 1 and maxUnavailable 0";
    expect(refused(spec, deployed, step)).toBe(
      `one-batch: the machines of name-server-0 ${why.replace("PACE", pace)}; make the plan by: rollout deploy name-server-0`,
    );
  });

  test("refuses a machine that waits though a hook of it is tainted, and says what ends that", () => {
    const hook = `terraform_data.${GROUP}-0-start-agents`;
    expect(refused(spec, withGroup(standing, GROUP, { tainted: [hook] }), ADDS)).toMatchInlineSnapshot(
      `"tainted-replacement: terraform_data.name-server-0-0-start-agents is tainted, so it would be replaced, and its machine works on until a later batch; run: terraform -chdir=cdktf.out/demo/name-server-0 untaint terraform_data.name-server-0-0-start-agents"`,
    );
  });

  test("counts an old machine as at work of which only a hook is tainted", () => {
    const hook = [`terraform_data.${GROUP}-0-start-agents`];
    const step = { numbers: [1], laterHosts: [hostName(GROUP, 1)] };
    expect(refused(spec, withGroup(standing, GROUP, { tainted: hook }), step)).toContain(
      "1 of them at work now, and pools.name-server.maxSurge is 1 and maxUnavailable 0: name-server-0-0",
    );
  });

  test("counts one that is out as none at work", () => {
    const out = withGroup(added, GROUP, { tainted: [`terraform_data.${GROUP}-1`] });
    expect(refused(spec, out, REMOVES)).toContain(
      "would be 2, 1 of them at work now, and pools.name-server.maxSurge is 1 and maxUnavailable 0: name-server-0-0",
    );
  });

  test("refuses an old machine that would both wait and go", () => {
    expect(refused(spec, added, { ...REMOVES, laterHosts: [hostName(GROUP, 0)] })).toMatchInlineSnapshot(`
     "one-batch: hosts of name-server-0 cannot wait for a later batch, since none of them is a client's of an older template: name-server-0-0; synthesize and plan again; batches are made by: rollout deploy name-server-0
     one-batch: machines of name-server-0 that wait for a later batch would change: terraform_data.name-server-0-0 (deleted), terraform_data.name-server-0-0-config-consul (deleted); declare them as they are deployed; remove the override
     one-batch: 1 machines of name-server-0 would be replaced at once, and pools.name-server.maxUnavailable is 0: name-server-0-1; make the plan by: rollout deploy name-server-0"
    `);
  });

  test("refuses a leave that is frozen where a machine goes", () => {
    const tamper: Tamper = (view) => {
      resourceIn(view, LEAVE).addOverride("lifecycle", { prevent_destroy: true, ignore_changes: "all" });
    };
    expect(refused(spec, added, REMOVES, tamper)).toMatchInlineSnapshot(
      `"leave-hook-runs: machines of name-server-0 could go before their work has left: terraform_data.name-server-0-leave: it is frozen in the view that must replace it; leave the hook as it is rendered; remove the override"`,
    );
  });

  test("refuses the surplus of an undo to go by a leave that is not replaced", () => {
    const tamper: Tamper = (view) => {
      resourceIn(view, LEAVE).addOverride("triggers_replace.attempt", "0");
    };
    expect(refused(before, added, {}, tamper)).toMatchInlineSnapshot(
      `"hooks-as-rendered: hooks would be taken for ended that may never have run, or run for nothing: terraform_data.name-server-0-leave; synthesize and plan again; leave attempts and completed as they are rendered"`,
    );
  });

  test("refuses other numbers where none surges", () => {
    expect(refused(before, standing, { numbers: [0, 2] })).toMatchInlineSnapshot(
      `"one-batch: name-server-0 would have the hosts 0, 2, by what is deployed 0, 1: name-server-0; synthesize and plan again"`,
    );
  });
});

type Step = Partial<Readonly<Record<"numbers", readonly number[]> & Record<"laterHosts", readonly string[]>>>;

function names(...hosts: readonly number[]): string {
  return hosts.map((host) => hostName(GROUP, host)).join(",");
}

function told(deployed: Deployed, leaveFor: NonNullable<ReturnType<typeof groupIn>["leaveFor"]>): Deployed {
  return withGroup(deployed, GROUP, { leaveFor });
}

/** Host 2 as it is once it was made, with a closed gate. */
function with2(deployed: Deployed): Deployed {
  const { hosts } = groupIn(deployed, GROUP);
  const [first] = hosts;
  if (!first) throw new Error("no host");
  const id = `i-${hostName(GROUP, 2)}`;
  const third: DeployedHost = {
    ...first,
    ...{ number: 2, name: hostName(GROUP, 2), id, image: "ami-0bbb", hash: NEW },
    configConsul: { host: id, servers: first.configConsul?.servers ?? "" },
  };
  const all = [...hosts, third];
  const ready = { hosts: all.map((host) => host.id).join(","), hash: NEW, gate: "closed" };
  const own = [...deployed.addresses].filter((address) => address.includes(`${GROUP}-1`));
  const addresses = [...deployed.addresses, ...own.map((each) => each.replace(`${GROUP}-1`, `${GROUP}-2`))];
  return { ...withGroup(deployed, GROUP, { hosts: all, ready }), addresses: new Set(addresses) };
}

function appOf(spec: Spec, deployed: Deployed, step: Step, tamper?: Tamper): { app: App; outdir: string } {
  const outdir = mkdtempSync(join(tmpdir(), "rollout-test-"));
  const app = new App({ outdir });
  addViews(app, [GROUP], {
    ...{
      spec,
      deployed,
      ...step,
      specFolder: "../../..",
      program: "../../../dist/bin/rollout.js",
      cause: "c",
    },
  }).forEach((view) => tamper?.(view));
  return { app, outdir };
}

function viewOf(spec: Spec, deployed: Deployed, step: Step): ReadonlyMap<string, unknown> {
  const { app, outdir } = appOf(spec, deployed, step);
  try {
    app.synth();
    const [view] = app.node.children.flatMap((child) => ("toTerraform" in child ? [child] : []));
    const { resource, variable } = (view as unknown as { toTerraform: () => Stack }).toTerraform();
    const all = { ...resource, variable };
    return new Map(
      Object.entries(all).flatMap(([type, byName]) =>
        Object.entries(byName).map(([name, body]) => [`${type}.${name}`, body] as const),
      ),
    );
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

interface Stack {
  readonly resource: Record<string, Record<string, unknown>>;
  readonly variable: Record<string, unknown>;
}

function refused(spec: Spec, deployed: Deployed, step: Step, tamper?: Tamper): string {
  const { app, outdir } = appOf(spec, deployed, step, tamper);
  try {
    app.synth();
  } catch (error) {
    return refusalOf(error) ?? String(error);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
  throw new Error("it was not refused");
}

function warningsOf(spec: Spec, deployed: Deployed): string {
  const { app, outdir } = appOf(spec, deployed, {});
  rmSync(outdir, { recursive: true, force: true });
  return app.node.children.flatMap(({ node }) => node.metadata.map(({ data }) => String(data))).join("\n");
}
