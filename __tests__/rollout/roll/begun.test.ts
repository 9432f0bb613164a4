import { expect, test } from "@jest/globals";
import type { Deployed } from "../../../cluster/deployed.js";
import type { LogEvent } from "../../../cluster/run/run-log.js";
import type { Spec } from "../../../cluster/yaml/schema.js";
import { begunBy } from "../../../rollout/roll/begun.js";
import { intentOf } from "../../../rollout/roll/intent.js";
import {
  change,
  cutAfterLeave,
  deployedAs,
  groupIn,
  localSpec,
  poolOf,
  withGroup,
} from "../../support/fixtures.js";
import { runOf, situationOf } from "../../support/situation.js";

const spec = localSpec();
const standing = deployedAs(spec);
const intentFor = (of: Spec, image: string | null) =>
  intentOf(situationOf(of, standing), {
    asked: { target: "broker", image },
    ...{ groups: ["broker-0", "broker-1"], begun: [], commit: null, program: "p", providers: {} },
    terraform: { tool: "Terraform", version: "1.11.4" },
    expires: "2026-11-22T10:00:00.000Z",
    digestOf: () => undefined,
  });
const intent = intentFor(spec, "ami-0bbb");
const [first] = intent.groups;
const [after, undo] = [first?.after.hash ?? "", first?.undo?.hash ?? ""];
const begun = (deployed: Deployed, events: LogEvent[] = []): string[] =>
  begunBy(intent, situationOf(spec, deployed, { events }));
const cut = cutAfterLeave(spec, standing, "broker-0");
const leaving = (hash: string): LogEvent[] =>
  runOf(
    [30, "run-started", { command: "x", by: "ann" }],
    [29, "group-started", { group: "broker-0", from: "ami-0aaa", fromRevision: 1, to: "ami-0bbb", hash }],
    [28, "step-started", { group: "broker-0", step: "leave" }],
  );

test("a machine that is lost or tainted has begun nothing of an intent", () => {
  const tainted = withGroup(standing, "broker-1", { tainted: ["terraform_data.broker-1-0"] });
  expect(begun(standing)).toEqual([]);
  expect(begun(tainted)).toEqual([]);
  expect(begun(cut, leaving("0000000000"))).toEqual([]);
});

test("a group has begun that has left by the log for what was approved, or to go back", () => {
  expect(begun(cut, leaving(after))).toEqual(["broker-0"]);
  expect(begun(cut, leaving(undo))).toEqual(["broker-0"]);
});

test("a group has begun of which something stands in the state that was approved, from the approved revision", () => {
  const [host, ...hosts] = groupIn(standing, "broker-0").hosts;
  if (!host) throw new Error("no host");
  for (const hash of [after, undo])
    expect(begun(withGroup(cut, "broker-0", { hosts: [{ ...host, hash }, ...hosts] }))).toEqual(["broker-0"]);
  const leaveFor = { hash: after, hosts: "", waiting: "" };
  expect(begun(withGroup(cut, "broker-0", { leaveFor }))).toEqual(["broker-0"]);
  const later = groupIn(standing, "broker-0").revisions.map((each) => ({ ...each, number: 7 }));
  expect(begun(withGroup(cut, "broker-0", { leaveFor, revisions: later }))).toEqual([]);
});

test("a group that only grows has begun once it has more machines", () => {
  const more = change(spec, (all) => (poolOf(all, "broker").hosts = [4, 3, 3]));
  const growth = intentFor(more, null);
  const of = (deployed: Deployed): string[] => begunBy(growth, situationOf(more, deployed));
  expect(of(withGroup(standing, "broker-0", { tainted: ["terraform_data.broker-0-0"] }))).toEqual([]);
  const { hosts } = groupIn(deployedAs(more), "broker-0");
  expect(of(withGroup(standing, "broker-0", { hosts }))).toEqual(["broker-0"]);
});
