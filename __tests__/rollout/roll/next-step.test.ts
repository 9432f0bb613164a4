import { expect, test } from "@jest/globals";
import { nextInGroup } from "../../../rollout/roll/next-step.js";
import type { Deployed, DeployedGroup } from "../../../cluster/deployed.js";
import { findGroup } from "../../../cluster/find-group.js";
import {
  change,
  cutAfterLeave,
  deployedAs,
  groupIn,
  localSpec,
  nothing,
  poolOf,
  withGroup,
  withoutAddresses,
} from "../../support/fixtures.js";

const before = localSpec();
const standing = deployedAs(before);
/** broker-0 gets another image. */
const spec = change(before, (copy) => {
  poolOf(copy, "broker").images[0] = "ami-0bbb";
});
const { hash } = findGroup(spec, "broker-0");
const broker = groupIn(standing, "broker-0");

/** The machines are made anew, and the gate was closed. */
const remade: Partial<DeployedGroup> = {
  hosts: broker.hosts.map((host) => ({ ...host, image: "ami-0bbb", hash })),
  ready: { hosts: broker.hosts.map(({ id }) => id).join(","), hash, gate: "closed" },
};
const rolled = (values: Partial<DeployedGroup> = {}): Deployed =>
  withGroup(standing, "broker-0", { ...remade, ...values });
const READY = "terraform_data.broker-0-ready";

test.each<[string, Deployed, string]>([
  ["has another image", standing, "roll"],
  ["has left, and nothing more", cutAfterLeave(spec, standing, "broker-0"), "roll"],
  [
    "has new machines in part",
    rolled({ hosts: [...(remade.hosts ?? []).slice(1), ...broker.hosts.slice(0, 1)] }),
    "roll",
  ],
  ["lacks a machine", rolled({ hosts: remade.hosts?.slice(1) ?? [] }), "roll"],
  ["has a tainted machine", rolled({ tainted: ["terraform_data.broker-0-1"] }), "roll"],
  ["has new machines and no leave yet", rolled({ leave: false }), "roll"],
  [
    "has a machine that was told of nothing",
    rolled({
      hosts: (remade.hosts ?? []).map(({ configConsul, ...host }) =>
        host.number === 1 || !configConsul ? host : { ...host, configConsul },
      ),
    }),
    "roll",
  ],
  ["has new machines and a closed gate", rolled(), "gate"],
  [
    "has new machines and a gate that failed",
    rolled({ tainted: [READY], ready: { hosts: "", hash, gate: "open" } }),
    "gate",
  ],
  [
    "has passed an open gate and is not recorded",
    rolled({ ready: { hosts: broker.hosts.map(({ id }) => id).join(","), hash, gate: "open" } }),
    "gate",
  ],
  [
    "is recorded",
    rolled({
      ready: { hosts: broker.hosts.map(({ id }) => id).join(","), hash, gate: "open" },
      revisions: [...broker.revisions, { number: 2, image: "ami-0bbb", hash, generation: 0, cause: "" }],
    }),
    "done",
  ],
])("a group that %s", (_, deployed, kind) => {
  expect(nextInGroup(spec, deployed, "broker-0")).toEqual({ kind });
});

test("a group without a ready is proven, whoever took it out", () => {
  const { ready, ...group } = { ...broker, ...remade };
  expect(ready).toBeDefined();
  const deployed = withoutAddresses(
    { ...standing, groups: new Map(standing.groups).set("broker-0", group) },
    READY,
  );
  expect(nextInGroup(spec, deployed, "broker-0")).toEqual({ kind: "gate" });
});

test("a group whose spec was changed once more while it is in flight is rolled again", () => {
  const again = change(spec, (copy) => {
    poolOf(copy, "broker").images[0] = "ami-0ccc";
  });
  expect(nextInGroup(again, rolled(), "broker-0")).toEqual({ kind: "roll" });
});

test("a group that is as desired has nothing to do", () => {
  expect(nextInGroup(before, standing, "broker-0")).toEqual({ kind: "done" });
});

test("a group is refused while another is in flight", () => {
  expect(nextInGroup(spec, rolled(), "broker-1")).toEqual({
    kind: "blocked",
    reasons: [
      {
        id: "in-flight",
        text: "broker-0 is in flight (terraform_data.broker-0-ready: its gate is closed)",
        remedy: "rollout deploy broker-0",
      },
    ],
  });
});

test("a group that only lacks its proof is proven, also while another one is in flight after it", () => {
  const server = groupIn(standing, "consul-server-0");
  const { ready } = server;
  expect(ready).toBeDefined();
  const deployed = withGroup(rolled(), "consul-server-0", {
    ready: { hosts: "", hash: ready?.hash ?? "", gate: "closed" },
  });
  expect(nextInGroup(spec, deployed, "consul-server-0")).toEqual({ kind: "gate" });
});

test("a group that has never stood is refused", () => {
  expect(nextInGroup(spec, nothing(), "broker-0")).toEqual({
    kind: "blocked",
    reasons: [
      { id: "new", text: "broker-0 is new and has never stood", remedy: "npx rollout deploy cluster" },
    ],
  });
});

test("a group is refused while another's creation has failed half-way", () => {
  const { ready, ...group } = groupIn(standing, "broker-2");
  expect(ready).toBeDefined();
  const half = { ...group, revisions: [], tainted: ["terraform_data.broker-2-ready"] };
  const deployed = { ...standing, groups: new Map(standing.groups).set("broker-2", half) };
  expect(nextInGroup(spec, deployed, "broker-0")).toEqual({
    kind: "blocked",
    reasons: [
      {
        id: "creation",
        text: "the creation of broker-2 has failed half-way",
        remedy: "npx rollout deploy cluster",
      },
    ],
  });
});

test("a group is refused while protection is off", () => {
  const open = change(spec, (copy) => {
    copy.protection = "off";
  });
  expect(nextInGroup(open, standing, "broker-0")).toEqual({
    kind: "blocked",
    reasons: [
      {
        id: "protection",
        text: "protection is off and nothing would be drained",
        remedy: "set protection: on in the spec",
      },
    ],
  });
});

test("refuses a group that the spec does not have, naming the one that was probably meant", () => {
  expect(() => nextInGroup(spec, standing, "broker-3")).toThrow(
    'no group "broker-3" in pool broker (0, 1, 2); did you mean broker-2?',
  );
});
