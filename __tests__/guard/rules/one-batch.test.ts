import { describe, expect, test } from "@jest/globals";
import { hostAddress, parseAddress } from "../../../cluster/address.js";
import type { Action, Change } from "../../../guard/change.js";
import type { Plan } from "../../../guard/plan/plan.js";
import type { Proposal } from "../../../guard/proposal.js";
import { oneBatch } from "../../../guard/rules/one-batch.js";
import { formatViolation } from "../../../guard/verdict.js";
import { change, deployedAs, localSpec, poolOf, withGroup } from "../../support/fixtures.js";

const five = change(localSpec(), (spec) => {
  poolOf(spec, "consul-server").hosts = [2, 2, 1];
});
const standing = deployedAs(five);
const NAME = "consul-server-0";

describe("a plan of a group of two servers", () => {
  test("refuses to replace both at once, whoever made it", () => {
    expect(refusals(["replace", "replace"])).toMatchInlineSnapshot(`
     [
       "one-batch: 2 servers of consul-server-0 would be out at once, and servers go one at a time: consul-server-0-0, consul-server-0-1; roll it by: rollout deploy consul-server-0",
     ]
    `);
    expect(refusals(["replace", "replace"], { inBatches: true })).toEqual(refusals(["replace", "replace"]));
  });

  test("refuses both also where no leave is left in the state, which does not tell who has left", () => {
    const deployed = withGroup(standing, NAME, { leave: false });
    expect(refusals(["replace", "replace"], { deployed })).toHaveLength(1);
  });

  test("refuses to replace one while the other is made or goes for good", () => {
    expect(refusals(["replace", "create"])).toHaveLength(1);
    expect(refusals(["replace", "delete"])).toHaveLength(1);
  });

  test("replaces one, makes any number and takes spare ones away", () => {
    expect(refusals(["replace"])).toEqual([]);
    expect(refusals(["create", "create"])).toEqual([]);
    expect(refusals(["delete"])).toEqual([]);
  });

  test("refuses to take two away at once, and more than one where they go one after another", () => {
    expect(refusals(["delete", "delete"])).toMatchInlineSnapshot(`
     [
       "one-batch: 2 servers of consul-server-0 would be out at once, and servers go one at a time: consul-server-0-0, consul-server-0-1; roll it by: rollout deploy consul-server-0",
     ]
    `);
    const seven = change(five, (spec) => {
      poolOf(spec, "consul-server").hosts = [3, 2, 2];
    });
    const fewer = change(five, (spec) => {
      poolOf(spec, "consul-server").hosts = [1, 1, 1];
    });
    const by = (numbers: readonly number[], gate: Plan["gate"] = "closed"): string[] =>
      refusals([], { spec: fewer, deployed: deployedAs(seven), numbers, plan: { ...PLAN, gate } });
    expect(by([0, 1])).toEqual([]);
    expect(by([0, 2])).toEqual([]);
    const other = (numbers: string): string =>
      `one-batch: consul-server-0 would have the hosts ${numbers}, by what is deployed 0: consul-server-0; synthesize and plan again`;
    expect(by([0, 1], "open")).toEqual([other("0, 1")]);
    expect(by([1, 2])).toEqual([other("1, 2")]);
    expect(by([0, 1, 2])).toEqual([other("0, 1, 2")]);
    expect(by([0, 5])).toEqual([other("0, 5")]);
  });

  test("refuses to let one go for good while another is made anew, and not one that is out itself", () => {
    const out = (host: number) =>
      withGroup(standing, NAME, { tainted: [hostAddress("local", NAME, host, "host")] });
    expect(refusals(["delete", "replace"], { deployed: out(1) })).toEqual([
      expect.stringContaining("2 servers of consul-server-0 would be out at once"),
    ]);
    expect(refusals(["delete", "replace"], { deployed: out(0) })).toEqual([
      expect.stringContaining("2 servers of consul-server-0 would be out at once"),
    ]);
    expect(refusals(["delete"], { deployed: out(0) })).toEqual([]);
  });

  test("makes those anew that are gone already", () => {
    const tainted = [0, 1].map((host) => hostAddress("local", NAME, host, "host"));
    const deployed = withGroup(standing, NAME, { tainted });
    expect(refusals(["replace", "replace"], { deployed })).toEqual([]);
  });
});

test("at synth nothing is refused: a view has to be there for its group to be seen", () => {
  expect(oneBatch(proposal(["replace", "replace"]))).toEqual([]);
});

const refusals = (actions: readonly Action[], more: Partial<Proposal> = {}): string[] =>
  oneBatch({ ...proposal(actions), plan: PLAN, ...more }).map(formatViolation);

function proposal(actions: readonly Action[]) {
  const changes = actions.map((action, host): Change => {
    const address = hostAddress("local", NAME, host, "host");
    const member = parseAddress(address);
    return { address, group: NAME, action, ...(member ? { member } : {}) };
  });
  return { view: NAME, target: NAME, spec: five, deployed: standing, declared: [], wiring: [], changes };
}

const PLAN: Plan = {
  formatVersion: "1.2",
  tool: "Terraform",
  terraformVersion: "1.11.4",
  base: new Map(),
  own: new Map(),
  gate: "open",
  laterHosts: [],
  unknown: [],
  gaps: [],
  resources: [],
  wiring: [],
  drift: [],
  gone: [],
};
