import { expect, test } from "@jest/globals";
import { configConsulRefresh } from "../../../guard/rules/config-consul-refresh.js";
import {
  change,
  cutAfterLeave,
  declaring,
  deployedAs,
  nothing,
  proposalOf,
  smallSpec,
  withGroup,
  withoutAddresses,
} from "../../support/fixtures.js";

const spec = smallSpec();
const standing = deployedAs(spec);
const HOOK = "terraform_data.broker-1-0-config-consul";
const consul = proposalOf(spec, standing, "consul-server-1");
const client = proposalOf(spec, standing, "broker-0");

test("accepts views as they are rendered", () => {
  const views = [
    consul,
    client,
    proposalOf(spec, standing, "cluster"),
    proposalOf(spec, nothing(), "cluster"),
  ];
  expect(views.flatMap(configConsulRefresh)).toEqual([]);
});

test.each([
  ["without replace_triggered_by", { triggeredBy: [] }],
  ["that is triggered by another server", { triggeredBy: ["terraform_data.consul-server-0-0.id"] }],
  ["that ignores changes", { ignoresChanges: true }],
  [
    "that names one server only",
    { body: { triggers_replace: { servers: "${terraform_data.consul-server-0-0.id}" } } },
  ],
])("refuses one %s in the view of a Consul group", (_, values) => {
  expect(configConsulRefresh(declaring(consul, HOOK, values))).toMatchObject([
    { rule: "config-consul-refresh", subjects: [HOOK] },
  ]);
});

test("refuses a machine that has none in the view of a Consul group", () => {
  const declared = consul.declared.filter(({ address }) => address !== HOOK);
  expect(configConsulRefresh({ ...consul, declared })).toMatchObject([
    { subjects: ["terraform_data.broker-1-0"] },
  ]);
});

test("a machine that was left untold by a roll that was cut off is told in the view of a Consul group", () => {
  const deployed = withoutAddresses(standing, HOOK);
  const proposal = proposalOf(spec, deployed, "consul-server-1");
  expect(proposal.declared.map(({ address }) => address)).toContain(HOOK);
  expect(configConsulRefresh(proposal)).toEqual([]);
});

test("a group that has left is told in its own view, not in that of a Consul group", () => {
  const proposal = proposalOf(spec, cutAfterLeave(spec, standing, "broker-1"), "consul-server-1");
  expect(proposal.declared.map(({ address }) => address)).not.toContain(HOOK);
  expect(configConsulRefresh(proposal)).toEqual([]);
});

test.each([
  ["is triggered", { triggeredBy: ["terraform_data.broker-0-0.id"] }],
  ["does not ignore changes", { ignoresChanges: false }],
])("refuses one of another group that %s in the view of a client group", (_, values) => {
  expect(configConsulRefresh(declaring(client, HOOK, values))).toMatchObject([{ subjects: [HOOK] }]);
});

test("refuses one of another group that would be created in the view of a client group", () => {
  const deployed = withoutAddresses(standing, HOOK);
  expect(configConsulRefresh({ ...client, deployed })).toMatchObject([{ subjects: [HOOK] }]);
});

test("accepts that the cluster view tells machines of a Consul server that it creates, and of none else", () => {
  const cluster = proposalOf(spec, standing, "cluster");
  const told = declaring(cluster, HOOK, { ignoresChanges: false });
  expect(configConsulRefresh(told)).toMatchObject([{ subjects: [HOOK] }]);
  const fresh = withGroup(standing, "consul-server-2", { revisions: [] });
  expect(configConsulRefresh({ ...told, deployed: fresh })).toEqual([]);
  const open = change(spec, (edited) => {
    edited.protection = "off";
  });
  expect(configConsulRefresh(proposalOf(open, standing, "cluster"))).toEqual([]);
});
