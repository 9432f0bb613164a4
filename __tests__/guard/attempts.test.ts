import { describe, expect, test } from "@jest/globals";
import { attemptsOtherwise } from "../../guard/attempts.js";
import { configConsulRefresh } from "../../guard/rules/config-consul-refresh.js";
import { formatViolation } from "../../guard/verdict.js";
import {
  change,
  declaring,
  deployedAs,
  poolOf,
  proposalOf,
  smallSpec,
  withGroup,
  groupIn,
} from "../support/fixtures.js";

const spec = smallSpec();
const standing = deployedAs(spec);
const rolling = change(spec, (edited) => {
  poolOf(edited, "broker").images[0] = "v2";
});
const telling = change(spec, (edited) => {
  poolOf(edited, "consul-server").images[1] = "v2";
});
const client = proposalOf(rolling, standing, "broker-0");
const consul = proposalOf(telling, standing, "consul-server-1");
const MARK = "hooks would be recorded as ended without a look at their marks";
const NUMBER = "hooks would be taken for ended that may never have run, or run for nothing";

test("accepts views as they are rendered", () => {
  const views = [
    client,
    consul,
    proposalOf(spec, standing, "broker-0"),
    proposalOf(spec, standing, "cluster"),
  ];
  expect(views.flatMap((view) => attemptsOtherwise(view, new Set()))).toEqual([]);
});

describe("refuses", () => {
  test.each([
    ["a hook without its number", client, "broker-0-0-config-consul", { attempt: undefined }],
    ["a hook with another", client, "broker-0-0-config-consul", { attempt: "2" }],
    ["`ready` with another", client, "broker-0-ready", { attempt: "2" }],
    ["a roll of Consul servers that no state has", client, "broker-0-0-config-consul", { consul: "1" }],
    ["a machine that is told under another number", consul, "broker-2-0-config-consul", { consul: "7" }],
    ["a machine that is told under none", consul, "broker-2-0-config-consul", { consul: undefined }],
  ])("%s", (_, proposal, name, triggers) => {
    const address = `terraform_data.${name}`;
    expect(said(withBody(proposal, address, "triggers_replace", triggers))).toEqual([
      `hooks-as-rendered: ${NUMBER}: ${address}; synthesize and plan again; leave attempts and completed as they are rendered`,
    ]);
  });

  test.each([
    ["another number", { attempt: 2 }],
    ["machines that are none of the group's", { hosts: "i-other" }],
    ["no number of the Consul servers' roll", { consul: undefined }],
  ])("a record with %s", (_, values) => {
    const address = "terraform_data.consul-server-1-revision";
    const { input } = bodyAt(consul, address) as { input: { completed: object } };
    const completed = { ...input.completed, ...values };
    expect(said(withBody(consul, address, "input", { completed }))).toEqual([
      `hooks-as-rendered: ${NUMBER}: ${address}; synthesize and plan again; leave attempts and completed as they are rendered`,
    ]);
  });

  test.each([
    ["for nothing", { prevent_destroy: true }],
    ["for fewer", { prevent_destroy: true, precondition: [{ condition: "${alltrue([])}" }] }],
  ])("a record that asks %s", (_, lifecycle) => {
    for (const [proposal, group] of [
      [client, "broker-0"],
      [consul, "consul-server-1"],
    ] as const) {
      const address = `terraform_data.${group}-revision`;
      const broken = declaring(proposal, address, { body: { ...bodyAt(proposal, address), lifecycle } });
      expect(said(broken)).toEqual([
        `hooks-as-rendered: ${MARK}: ${address}; leave the precondition as it is rendered; remove the override`,
      ]);
    }
  });

  test("a view that was made before a run of it was cut off", () => {
    const { hosts, ready } = groupIn(standing, "broker-0");
    const cut = withGroup(standing, "broker-0", {
      hosts: hosts.map((host) => ({
        ...host,
        ...(host.configConsul ? { configConsul: { ...host.configConsul, attempt: 1 } } : {}),
      })),
      ...(ready ? { ready: { ...ready, attempt: 1 } } : {}),
    });
    expect(said({ ...client, deployed: cut })).toEqual([
      `hooks-as-rendered: ${NUMBER}: terraform_data.broker-0-0-config-consul, terraform_data.broker-0-ready, terraform_data.broker-0-revision; synthesize and plan again; leave attempts and completed as they are rendered`,
    ]);
  });

  test("nothing twice of a hook of which something else is said", () => {
    const address = "terraform_data.broker-0-ready";
    const broken = withBody(client, address, "triggers_replace", { attempt: "2" });
    expect(attemptsOtherwise(broken, new Set([address]))).toEqual([]);
  });
});

test("the record of a Consul group asks for the mark of every machine that it tells", () => {
  const text = JSON.stringify(bodyAt(consul, "terraform_data.consul-server-1-revision")["lifecycle"]);
  for (const name of ["broker-0-0-config-consul", "nomad-server-2-0-config-consul", "consul-server-1-ready"])
    expect(text).toContain(`terraform_data.${name}.id`);
  expect(JSON.stringify(bodyAt(client, "terraform_data.broker-0-revision")["lifecycle"])).not.toContain(
    "broker-1",
  );
});

test("refuses a plan in which machines of other groups would be told of no new Consul server", () => {
  const address = "terraform_data.broker-2-0-config-consul";
  const planned = {
    formatVersion: "1.2",
    tool: "Terraform" as const,
    terraformVersion: "1.11.4",
    base: new Map(),
    own: new Map(),
    gate: "open" as const,
    laterHosts: [],
    unknown: [],
    gaps: [],
    resources: [],
    wiring: [],
    drift: [],
    gone: [],
  };
  const member = {
    pool: "broker",
    index: 2 as const,
    group: "broker-2",
    host: 0,
    kind: "config-consul" as const,
  };
  const changes = [{ address, group: "broker-2", member, action: "replace" as const }];
  const inView = (target: string, deployed = standing) =>
    configConsulRefresh({ ...consul, spec, deployed, target, view: target, plan: planned, changes });
  expect(inView("consul-server-1").map(({ subjects }) => subjects)).toEqual([[address]]);
  const untold = withGroup(standing, "broker-2", {
    hosts: groupIn(standing, "broker-2").hosts.map((host) => ({
      ...host,
      configConsul: { host: "i-gone", servers: "" },
    })),
  });
  expect(inView("consul-server-1", untold)).toEqual([]);
  expect(inView("broker-0", untold).map(({ subjects }) => subjects)).toEqual([[address]]);
});

type Proposal = Parameters<typeof attemptsOtherwise>[0];

const said = (proposal: Proposal): string[] => attemptsOtherwise(proposal, new Set()).map(formatViolation);

const bodyAt = ({ declared }: Proposal, address: string): Readonly<Record<string, unknown>> => ({
  ...declared.find((resource) => resource.address === address)?.body,
});

/** A view in which one attribute of a resource has other values. */
function withBody(
  proposal: Proposal,
  address: string,
  attribute: "input" | "triggers_replace",
  values: Readonly<Record<string, unknown>>,
): Proposal {
  const body = bodyAt(proposal, address);
  return declaring(proposal, address, {
    body: { ...body, [attribute]: { ...(body[attribute] as object), ...values } },
  });
}
