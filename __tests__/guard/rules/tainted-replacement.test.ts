import { expect, test } from "@jest/globals";
import { parseAddress } from "../../../cluster/address.js";
import type { Change } from "../../../guard/change.js";
import { taintedReplacement } from "../../../guard/rules/tainted-replacement.js";
import { formatViolation } from "../../../guard/verdict.js";
import type { Deployed } from "../../../cluster/deployed.js";
import { agentsSpec, deployedAs, groupIn, proposalOf, withGroup } from "../../support/fixtures.js";

const standing = deployedAs(agentsSpec());
const START = "terraform_data.broker-0-1-start-agents";
const STOP = "terraform_data.broker-0-1-stop-agents";

/** What the rule says of a plan of broker-0 that replaces a tainted member. */
function said(address: string, deployed: Deployed): string[] {
  const member = parseAddress(address);
  if (!member) throw new Error(`no member: ${address}`);
  const planned = {
    address,
    imported: false,
    actions: ["delete", "create"],
    reason: "replace_because_tainted",
    before: {},
    after: {},
  };
  const changes: Change[] = [{ address, group: member.group, member, action: "replace", planned }];
  const proposal = proposalOf(agentsSpec(), standing, "broker-0");
  return taintedReplacement({ ...proposal, deployed, changes }).map(formatViolation);
}

test("accepts a start that failed, whose group is not whole", () => {
  const { ready, ...group } = groupIn(standing, "broker-0");
  expect(ready).toBeDefined();
  const groups = new Map(standing.groups).set("broker-0", { ...group, tainted: [START] });
  expect(said(START, { ...standing, groups })).toEqual([]);
  const failedGate = withGroup(standing, "broker-0", { tainted: [START, "terraform_data.broker-0-ready"] });
  expect(said(START, failedGate)).toEqual([]);
});

test("refuses to start agents anew whose group is whole", () => {
  expect(said(START, withGroup(standing, "broker-0", { tainted: [START] }))).toEqual([
    "tainted-replacement: terraform_data.broker-0-1-start-agents is tainted, so agents that have work would be started anew; run: terraform -chdir=cdktf.out/demo/broker-0 untaint terraform_data.broker-0-1-start-agents",
  ]);
});

test("refuses a stop that would not run", () => {
  expect(said(STOP, withGroup(standing, "broker-0", { tainted: [STOP] }))).toEqual([
    "tainted-replacement: terraform_data.broker-0-1-stop-agents is tainted, so it would be replaced without its hook, and what it stops would go on; run: terraform -chdir=cdktf.out/demo/broker-0 untaint terraform_data.broker-0-1-stop-agents",
  ]);
});

test("refuses at synth a hook of a machine that waits, but none that follows the Consul servers", () => {
  const CONFIG = "terraform_data.broker-0-1-config-consul";
  const proposal = proposalOf(agentsSpec(), standing, "broker-0");
  const refused = (tainted: string, laterHosts: readonly string[]): number =>
    taintedReplacement({
      ...proposal,
      ...{ changes: [], laterHosts, deployed: withGroup(standing, "broker-0", { tainted: [tainted] }) },
    }).length;
  expect(refused(START, ["broker-0-1"])).toBe(1);
  expect(refused(START, ["broker-0-0"])).toBe(0);
  expect(refused(CONFIG, ["broker-0-1"])).toBe(0);
});
