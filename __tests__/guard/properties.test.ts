import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { offeredViews } from "../../rollout/roll/views.js";
import { groupsOf, type Group } from "../../cluster/groups.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { rawSpec, specOf } from "../cluster/yaml/example.js";
import { change, deployedAs, poolOf, proposalOf, verdictOf } from "../support/fixtures.js";

const anySpec = rawSpec.map((raw) => specOf(JSON.stringify(raw)));

/** A spec, some of its groups, and what is to change of each. */
const anyChange = anySpec.chain((spec) =>
  fc.record({
    spec: fc.constant(spec),
    edits: fc.uniqueArray(fc.tuple(fc.constantFrom(...groupsOf(spec)), fc.nat(4)), {
      selector: ([group]) => group.name,
      maxLength: 3,
    }),
  }),
);

describe("a spec that is deployed", () => {
  test("changes no group, in any view", () => {
    fc.assert(
      fc.property(anySpec, fc.nat(), (spec, pick) => {
        const deployed = deployedAs(spec);
        const groups = groupsOf(spec);
        for (const view of ["cluster", groups[pick % groups.length]?.name ?? ""]) {
          expect(verdictOf(spec, deployed, view)).toEqual({
            verdict: "accepted",
            touched: [],
            own: [],
            violations: [],
          });
          expect(proposalOf(spec, deployed, view).changes).toEqual([]);
        }
      }),
      { numRuns: 12 },
    );
  });
});

describe("k changed groups", () => {
  test("are refused and named, exactly k, where one may be pending", () => {
    fc.assert(
      fc.property(anyChange, ({ spec, edits }) => {
        const changed = withEdits(spec, edits);
        const { verdict, violations } = verdictOf(changed, deployedAs(spec), "cluster");
        const names = edits.map(([{ name }]) => name).sort();
        expect(verdict).toBe(names.length > 1 ? "rejected" : "accepted");
        expect(violations.map(({ rule, subjects }) => [rule, subjects])).toEqual(
          names.length > 1 ? [["one-group", names]] : [],
        );
      }),
      { numRuns: 12 },
    );
  });

  test("have exactly k views in a queue, each of which touches its own group alone", () => {
    fc.assert(
      fc.property(anyChange, ({ spec, edits }) => {
        const changed = queued(withEdits(spec, edits));
        const deployed = deployedAs(spec);
        const [cluster, ...views] = offeredViews(changed, deployed);
        expect(cluster).toBe("cluster");
        expect([...views].sort()).toEqual(edits.map(([{ name }]) => name).sort());
        for (const view of views) {
          expect(verdictOf(changed, deployed, view)).toEqual({
            verdict: "accepted",
            touched: [view],
            own: [],
            violations: [],
          });
        }
        expect(verdictOf(changed, deployed, "cluster")).toMatchObject({ verdict: "accepted", touched: [] });
      }),
      { numRuns: 12 },
    );
  });
});

test("the order of the pools in the spec never matters for a verdict", () => {
  fc.assert(
    fc.property(anyChange, fc.boolean(), fc.nat(), ({ spec, edits }, queue, seed) => {
      const deployed = deployedAs(spec);
      const edited = withEdits(spec, edits);
      const one = queue ? queued(edited) : edited;
      const other = reordered(one, seed);
      for (const view of ["cluster", ...edits.map(([{ name }]) => name).slice(0, 1)]) {
        expect(verdictOf(other, deployed, view)).toEqual(verdictOf(one, deployed, view));
      }
    }),
    { numRuns: 12 },
  );
});

const queued = (spec: Spec): Spec =>
  change(spec, (edited) => {
    edited.rollout.pendingGroups = "queue";
  });

const withEdits = (spec: Spec, edits: readonly (readonly [Group, number])[]): Spec =>
  change(spec, (edited) => {
    for (const [group, kind] of edits) editGroup(edited, group, kind);
  });

/** Changes one value of a group, another for each kind; the image where the pool lacks that value. */
function editGroup(spec: Spec, { pool: name, index, hosts }: Group, kind: number): void {
  const pool = poolOf(spec, name);
  if (kind === 1) pool.instanceTypes[index] = "c7g.large";
  else if (kind === 2 && pool.generations) pool.generations[index] += 1;
  else if (kind === 3 && pool.hosts) pool.hosts[index] = hosts > 2 ? hosts - 1 : hosts + 1;
  else if (kind === 4 && pool.dataVolumes) pool.dataVolumes[index].sizeGib += 1;
  else pool.images[index] += "0";
}

/** The same pools in another order. */
function reordered(spec: Spec, seed: number): Spec {
  const pools = Object.entries(spec.pools);
  const turned = pools.map((_, at) => pools[(at + (seed % pools.length)) % pools.length] ?? ["", {}]);
  return { ...spec, pools: Object.fromEntries(seed % 2 === 0 ? turned : turned.reverse()) as Spec["pools"] };
}
