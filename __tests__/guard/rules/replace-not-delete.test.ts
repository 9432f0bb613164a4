import { describe, expect, test } from "@jest/globals";
import type { Deployed, DeployedGroup } from "../../../cluster/deployed.js";
import { replaceNotDelete } from "../../../guard/rules/replace-not-delete.js";
import {
  change,
  deployedAs,
  localSpec,
  poolOf,
  proposalOf,
  withGroup,
  withoutAddresses,
} from "../../support/fixtures.js";
import { EditedPlan } from "../plan/edit-plan.js";

const standing = deployedAs(localSpec());
const base = proposalOf(localSpec(), standing, "broker-0");
const without = (...gone: readonly string[]): typeof base => ({
  ...base,
  changes: gone.map((address) => ({ address, group: "broker-0", action: "delete" as const })),
});

test("accepts a view that drops nothing", () => {
  expect(replaceNotDelete(base)).toEqual([]);
});

test("accepts that the last hosts of the target go, and not those before them", () => {
  const shrunk = change(localSpec(), (spec) => {
    poolOf(spec, "broker").hosts = [2, 3, 3];
  });
  const proposal = proposalOf(shrunk, standing, "broker-0");
  expect(proposal.changes.map(({ address }) => address)).toContain("terraform_data.broker-0-2");
  expect(replaceNotDelete(proposal)).toEqual([]);
  expect(replaceNotDelete({ ...proposal, target: "broker-1" })).toHaveLength(1);
  const four = change(localSpec(), (spec) => {
    poolOf(spec, "broker").hosts = [4, 3, 3];
  });
  expect(replaceNotDelete({ ...proposal, spec: four })).toHaveLength(1);
});

test("refuses that a hook of the target is dropped", () => {
  expect(replaceNotDelete(without("terraform_data.broker-0-leave"))).toMatchObject([
    { rule: "replace-not-delete", subjects: ["terraform_data.broker-0-leave"] },
  ]);
});

test("accepts fewer hosts of a group that has never stood", () => {
  const half = withGroup(standing, "broker-0", { revisions: [] });
  const shrunk = change(localSpec(), (spec) => {
    poolOf(spec, "broker").hosts = [1, 3, 3];
  });
  const proposal = proposalOf(shrunk, half, "cluster");
  expect(proposal.changes.map(({ address }) => address)).toContain("terraform_data.broker-0-1");
  expect(replaceNotDelete(proposal)).toEqual([]);
});

test("accepts that an attachment goes with a volume that the state has lost, which is another rule's, and not without", () => {
  const address = "terraform_data.broker-0-1-data-attachment";
  const member = { pool: "broker", index: 0, group: "broker-0", kind: "data-attachment", host: 1 } as const;
  const changes = [{ address, group: "broker-0", member, action: "delete" as const }];
  const lost = withoutAddresses(standing, "terraform_data.broker-0-1-data");
  expect(replaceNotDelete({ ...base, deployed: lost, changes })).toEqual([]);
  expect(replaceNotDelete({ ...base, changes })).toMatchObject([{ subjects: [address] }]);
});

describe("a machine of which the state holds only a deposed object, which runs", () => {
  const address = "terraform_data.broker-1-0";
  /** The view that destroys it, as Terraform plans it. */
  const deposed = (group: Partial<DeployedGroup>): EditedPlan => {
    const plan = new EditedPlan("no-op", ({ deployed }) => ({
      deployed: withGroup(withoutAddresses(deployed, address), "broker-1", { hosts: [], ...group }),
    }));
    const entry = plan.entry(address);
    entry.deposed = "abcd1234";
    Object.assign(entry.change, { actions: ["delete"], after: null });
    Object.assign(plan.valuesOf("prior_state", address), { deposed_key: "abcd1234" });
    plan.drop(address, "planned", "declared");
    return plan;
  };

  test("refuses that it goes in the cluster view, whether the state knows of it or the plan alone", () => {
    const refused = deposed({ deposed: [address] }).violations();
    expect(refused).toMatchInlineSnapshot(`
     [
       "replace-not-delete: members of broker-1 would be destroyed in the view cluster, without a hook: terraform_data.broker-1-0; declare them as they are deployed; to take hosts away, lower the group's hosts in cluster.yaml and deploy broker-1",
     ]
    `);
    expect(deposed({ deposed: [] }).violations()).toEqual(refused);
  });

  test("refuses that what hangs on it goes", () => {
    const member = { pool: "broker", index: 1, group: "broker-1", kind: "target", host: 0 } as const;
    const changes = [{ address: "x", group: "broker-1", member, action: "delete" as const }];
    const group = (kept: readonly string[]): Deployed =>
      withGroup(standing, "broker-1", { hosts: [], deposed: kept });
    expect(replaceNotDelete({ ...base, deployed: group([]), changes })).toEqual([]);
    expect(replaceNotDelete({ ...base, deployed: group([address]), changes })).toMatchObject([
      { subjects: ["x"] },
    ]);
  });
});

test("accepts that targets go with their load balancer, which is another rule's, and not without", () => {
  const member = { pool: "broker", index: 1, group: "broker-1", kind: "target" } as const;
  const target = {
    address: "terraform_data.broker-1-0-target",
    group: "broker-1",
    member,
    action: "delete",
  } as const;
  const balancer = { address: "terraform_data.broker-load-balancer", action: "delete" } as const;
  expect(replaceNotDelete({ ...base, changes: [target, balancer] })).toEqual([]);
  expect(replaceNotDelete({ ...base, changes: [target] })).toMatchObject([{ subjects: [target.address] }]);
});
