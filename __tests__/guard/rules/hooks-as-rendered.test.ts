import { describe, expect, test } from "@jest/globals";
import { hooksAsRendered } from "../../../guard/rules/hooks-as-rendered.js";
import { formatViolation } from "../../../guard/verdict.js";
import {
  agentsSpec,
  change,
  declaring,
  deployedAs,
  exampleSpec,
  localSpec,
  nothing,
  poolOf,
  proposalOf,
} from "../../support/fixtures.js";

const spec = change(localSpec(), (edited) => {
  poolOf(edited, "broker").images[0] = "v2";
});
const standing = deployedAs(localSpec());
const base = proposalOf(spec, standing, "broker-0");
const consul = change(localSpec(), (edited) => {
  poolOf(edited, "consul-server").images[1] = "v2";
});
const consulView = proposalOf(consul, standing, "consul-server-1");

test("accepts views as they are rendered, on both platforms", () => {
  const aws = exampleSpec();
  for (const proposal of [
    base,
    consulView,
    proposalOf(spec, standing, "cluster"),
    proposalOf(spec, nothing(), "cluster"),
    proposalOf(aws, deployedAs(aws), "broker-2"),
    proposalOf({ ...spec, protection: "off" }, standing, "cluster"),
  ]) {
    expect(hooksAsRendered(proposal)).toEqual([]);
  }
});

test("accepts the machines of a group in any order, such as a plan's, in which 10 comes before 2", () => {
  const many = (image: string) =>
    change(localSpec(), (edited) => {
      const broker = poolOf(edited, "broker");
      broker.images[0] = image;
      broker.hosts = [12, 12, 12];
    });
  const proposal = proposalOf(many("v2"), deployedAs(many("ami-0aaa")), "broker-0");
  const declared = [...proposal.declared].sort((one, other) => (one.address < other.address ? -1 : 1));
  expect(hooksAsRendered({ ...proposal, declared })).toEqual([]);
});

describe("the path of the program", () => {
  const ELSEWHERE = 'exec node "/tmp/dist/bin/rollout.js" hook';

  test("accepts any that all hooks of a plan have, and at synth the one that is rendered", () => {
    expect(hooksAsRendered({ ...base, program: "../../../dist/bin/rollout.js" })).toEqual([]);
    const moved = base.wiring.map((wiring) => ({
      ...wiring,
      provisioners: wiring.provisioners.map((each) => ({
        ...each,
        command: each.command.replace(CALL, ELSEWHERE),
      })),
    }));
    expect(hooksAsRendered({ ...base, wiring: moved })).toEqual([]);
    expect(
      hooksAsRendered({ ...base, wiring: moved, program: "../../../dist/bin/rollout.js" }),
    ).toMatchObject([{ rule: "hooks-as-rendered" }]);
  });

  test("refuses one that another hook does not have", () => {
    const leave = base.wiring.find(({ address }) => address === "terraform_data.broker-0-leave");
    const command = leave?.provisioners[0]?.command.replace(CALL, ELSEWHERE);
    const address = "terraform_data.broker-0-leave";
    const { body = {} } = base.declared.find((resource) => resource.address === address) ?? {};
    const tampered = declaring(base, address, {
      body: { ...body, ...local({ command, when: "destroy" }) },
    });
    for (const proposal of [tampered, { ...tampered, program: "../../../dist/bin/rollout.js" }]) {
      expect(hooksAsRendered(proposal).map(formatViolation)).toEqual([
        `hooks-as-rendered: hooks would not run what they are rendered with: terraform_data.broker-0-leave (it runs: ${String(command)}); leave the hooks as they are rendered; remove the override`,
      ]);
    }
  });
});

const CALL = 'exec node "../../../dist/bin/rollout.js" hook';
const local = (values: object): object => ({ provisioner: [{ "local-exec": values }] });

test.each([
  ["runs another command", "broker-0-leave", local({ command: "true", when: "destroy" }), "it runs: true"],
  [
    "runs something before the hook",
    "broker-0-ready",
    local({ command: `sleep 1; ${CALL} ready broker-0 --hash 0` }),
    `it runs: sleep 1; ${CALL} ready broker-0 --hash 0`,
  ],
  [
    "runs something after the hook",
    "broker-0-0-config-consul",
    local({ command: `${CALL} configure-consul broker-0-0 || true` }),
    `it runs: ${CALL} configure-consul broker-0-0 || true`,
  ],
  [
    "is called for another group",
    "broker-0-leave",
    local({ command: `${CALL} leave broker-1 --hash 0 --stay broker-0-0`, when: "destroy" }),
    `it runs: ${CALL} leave broker-1 --hash 0 --stay broker-0-0`,
  ],
  [
    "is called for a group whose name only begins so",
    "broker-0-ready",
    local({ command: `${CALL} ready broker-00 --hash 0` }),
    `it runs: ${CALL} ready broker-00 --hash 0`,
  ],
  [
    "lets a host stay that goes",
    "broker-0-leave",
    local({ command: `${CALL} leave broker-0 --hash 9ed2e93399 --stay broker-0-0`, when: "destroy" }),
    "it is called with: leave broker-0 --hash 9ed2e93399 --stay broker-0-0, not with: leave broker-0 --hash 228f208c38 --stay broker-0-0,broker-0-1,broker-0-2",
  ],
  [
    "may fail",
    "broker-0-leave",
    local({ command: "x", when: "destroy", on_failure: "continue" }),
    "it sets on_failure",
  ],
  ["runs on another occasion", "broker-0-leave", local({ command: "x" }), "it runs on create"],
  ["runs nothing", "broker-0-ready", {}, "it runs nothing"],
  [
    "runs more than one command",
    "broker-0-ready",
    { provisioner: [{ "local-exec": { command: "x" } }, { "remote-exec": {} }] },
    "it runs more than one command",
  ],
  ["runs elsewhere", "broker-0-ready", { provisioner: [{ "remote-exec": {} }] }, "it sets remote-exec"],
  [
    "belongs to a host",
    "broker-0-0",
    local({ command: "x", when: "destroy" }),
    "it runs a command and is no hook",
  ],
])("refuses a hook that %s", (_, name, provisioners, why) => {
  const address = `terraform_data.${name}`;
  const { body = {} } = base.declared.find((resource) => resource.address === address) ?? {};
  const broken = declaring(base, address, { body: { ...body, provisioner: [], ...provisioners } });
  expect(hooksAsRendered(broken).map(formatViolation)).toEqual([
    `hooks-as-rendered: hooks would not run what they are rendered with: ${address} (${why}); leave the hooks as they are rendered; remove the override`,
  ]);
});

describe("on a cluster whose agents Terraform starts", () => {
  const wanted = change(agentsSpec(), (edited) => {
    poolOf(edited, "broker").images[0] = "v2";
  });
  const agents = proposalOf(wanted, deployedAs(agentsSpec()), "broker-0");
  const consulAgents = proposalOf(
    change(agentsSpec(), (edited) => {
      poolOf(edited, "consul-server").images[1] = "v2";
    }),
    deployedAs(agentsSpec()),
    "consul-server-1",
  );
  const start = "terraform_data.broker-0-1-start-agents";
  const bodyOf = (address: string): Record<string, unknown> => ({
    ...agents.declared.find((resource) => resource.address === address)?.body,
  });

  test("accepts views as they are rendered", () => {
    for (const proposal of [agents, consulAgents, proposalOf(wanted, nothing(), "cluster")])
      expect(hooksAsRendered(proposal)).toEqual([]);
  });

  test.each([
    ["broker-0-0-start-agents", "broker-0-0-stop-agents"],
    ["broker-0-0-start-agents", "broker-0-0-data-attachment"],
    ["broker-0-0-stop-agents", "broker-0-0-data-attachment"],
    ["broker-0-0-config-consul", "broker-0-0-start-agents"],
    ["broker-0-0-config-consul", "consul-server-2-0-start-agents"],
    ["broker-0-leave", "broker-0-2-start-agents"],
    ["broker-0-leave", "broker-0-2-stop-agents"],
  ])("refuses %s that does not wait for %s", (name, before) => {
    expect(withoutEdge(agents, name, before)).toEqual([
      `hooks-as-rendered: members of groups would not wait for what comes before them: terraform_data.${name} (terraform_data.${before}); leave depends_on as it is rendered; remove the override`,
    ]);
  });

  test.each([
    ["broker-0-1-stop-agents", {}, "it runs nothing"],
    ["broker-0-1-stop-agents", local({ command: "true", when: "destroy" }), "it runs: true"],
    ["broker-0-1-stop-agents", local({ command: `${CALL} stop-agents broker-0-1` }), "it runs on create"],
    [
      "broker-0-1-start-agents",
      local({ command: `${CALL} start-agents broker-0-1 --hash 9ed2e93399` }),
      "it is called with: start-agents broker-0-1 --hash 9ed2e93399, not with: start-agents broker-0-1 --hash 228f208c38",
    ],
    [
      "broker-0-1-start-agents",
      local({ command: `${CALL} start-agents broker-0-10 --hash 228f208c38` }),
      `it runs: ${CALL} start-agents broker-0-10 --hash 228f208c38`,
    ],
  ])("refuses %s that does otherwise (%#)", (name, provisioners, why) => {
    const address = `terraform_data.${name}`;
    const broken = declaring(agents, address, {
      body: { ...bodyOf(address), provisioner: [], ...provisioners },
    });
    expect(hooksAsRendered(broken).map(formatViolation)).toEqual([
      `hooks-as-rendered: hooks would not run what they are rendered with: ${address} (${why}); leave the hooks as they are rendered; remove the override`,
    ]);
  });

  test("refuses a start that would not follow its machine", () => {
    const broken = declaring(agents, start, {
      body: { ...bodyOf(start), triggers_replace: { host: "i-1" } },
    });
    expect(hooksAsRendered(broken).map(formatViolation)).toEqual([
      `hooks-as-rendered: hooks would not run when their machines change: ${start}; leave triggers and lifecycle as they are rendered; remove the override`,
    ]);
  });
});

test.each([
  ["broker-0-leave", "broker-0-1"],
  ["broker-0-leave", "broker-0-2-data-attachment"],
  ["broker-0-leave", "broker-0-0-config-consul"],
  ["broker-0-1-target", "broker-0-1-config-consul"],
  ["broker-0-0-config-consul", "broker-0-0-data-attachment"],
  ["broker-0-ready", "broker-0-leave"],
  ["broker-0-ready", "broker-0-2-config-consul"],
  ["broker-0-ready", "broker-0-2-target"],
  ["broker-0-revision", "broker-0-ready"],
])("refuses %s that does not wait for %s", (name, before) => {
  expect(withoutEdge(base, name, before)).toEqual([
    `hooks-as-rendered: members of groups would not wait for what comes before them: terraform_data.${name} (terraform_data.${before}); leave depends_on as it is rendered; remove the override`,
  ]);
});

test("refuses a Consul group that would be done before all others are told", () => {
  expect(withoutEdge(consulView, "consul-server-1-revision", "broker-2-1-config-consul")).toEqual([
    "hooks-as-rendered: members of groups would not wait for what comes before them: terraform_data.consul-server-1-revision (terraform_data.broker-2-1-config-consul); leave depends_on as it is rendered; remove the override",
  ]);
});

test("refuses a config_consul of another group that tells nothing", () => {
  const address = "terraform_data.broker-1-0-config-consul";
  const broken = declaring(consulView, address, { body: {} });
  expect(hooksAsRendered(broken)).toMatchObject([{ subjects: [address] }]);
});

test("leaves the hooks of frozen groups alone, which cannot run", () => {
  expect(hooksAsRendered(declaring(base, "terraform_data.broker-1-leave", { body: {} }))).toEqual([]);
});

function withoutEdge(proposal: typeof base, name: string, before: string): string[] {
  const address = `terraform_data.${name}`;
  const { body = {} } = proposal.declared.find((resource) => resource.address === address) ?? {};
  const needs = (body["depends_on"] as string[]).filter((need) => need !== `terraform_data.${before}`);
  expect(needs.length).toBe((body["depends_on"] as string[]).length - 1);
  const broken = declaring(proposal, address, { body: { ...body, depends_on: needs } });
  return hooksAsRendered(broken).map(formatViolation);
}

describe("the addresses that a machine is told", () => {
  const aws = exampleSpec();
  const view = proposalOf(aws, deployedAs(aws), "consul-server-1");
  const address = "null_resource.broker-1-0-config-consul";
  const server = (index: number): string => `\${aws_instance.consul-server-${String(index)}-0.private_ip}`;
  const given = (environment: object): typeof view => {
    const { body = {} } = view.declared.find((resource) => resource.address === address) ?? {};
    const [provisioner] = body["provisioner"] as { "local-exec": object }[];
    const localExec = { ...provisioner?.["local-exec"], environment };
    return declaring(view, address, { body: { ...body, provisioner: [{ "local-exec": localExec }] } });
  };
  const own = {
    ROLLOUT_HOST_ADDRESS: "${aws_instance.broker-1-0.private_ip}",
    ROLLOUT_MARK: "${self.id}",
  };
  const servers = [server(0), server(1), server(2)].join(",");

  test("are its own and those of all Consul servers", () => {
    expect(hooksAsRendered(given({ ...own, ROLLOUT_CONSUL_SERVERS: servers }))).toEqual([]);
  });

  test.each([
    ["a server that is left out", { ...own, ROLLOUT_CONSUL_SERVERS: [server(0), server(2)].join(",") }],
    ["another machine's address", { ROLLOUT_HOST_ADDRESS: server(0), ROLLOUT_CONSUL_SERVERS: servers }],
    ["something more", { ...own, ROLLOUT_CONSUL_SERVERS: servers, CONSUL_HTTP_ADDR: "10.0.0.1" }],
    [
      "another mark",
      { ...own, ROLLOUT_CONSUL_SERVERS: servers, ROLLOUT_MARK: "${aws_instance.broker-1-0.id}" },
    ],
    ["nothing", {}],
  ])("refuses %s", (_, environment) => {
    expect(hooksAsRendered(given(environment)).map(formatViolation)).toEqual([
      `hooks-as-rendered: hooks would not run what they are rendered with: ${address} (it is given other addresses); leave the hooks as they are rendered; remove the override`,
    ]);
  });
});

describe("what a hook is triggered by", () => {
  const declaredAt = (address: string): Record<string, unknown> => ({
    ...base.declared.find((resource) => resource.address === address)?.body,
  });

  test.each([
    ["broker-0-ready", { ignoresChanges: true }, {}],
    ["broker-0-0-config-consul", { ignoresChanges: true }, {}],
    ["broker-0-ready", {}, { lifecycle: { ignore_changes: ["triggers_replace"] } }],
    ["broker-0-ready", {}, { triggers_replace: { hosts: "", hash: "228f208c38", gate: "open" } }],
    ["broker-0-1-config-consul", {}, { triggers_replace: { host: "i-1", servers: "" } }],
    ["broker-0-leave", {}, { triggers_replace: { hash: "228f208c38", hosts: "broker-0-0" } }],
  ])("refuses %s that would not follow its machines (%#)", (name, values, body) => {
    const address = `terraform_data.${name}`;
    const broken = declaring(base, address, { ...values, body: { ...declaredAt(address), ...body } });
    expect(hooksAsRendered(broken).map(formatViolation)).toEqual([
      `hooks-as-rendered: hooks would not run when their machines change: ${address}; leave triggers and lifecycle as they are rendered; remove the override`,
    ]);
  });
});

test("refuses more words than a machine's hook has", () => {
  const address = "terraform_data.broker-1-0-config-consul";
  const provisioner = [{ "local-exec": { command: `${CALL} configure-consul broker-1-0 --help` } }];
  const { body = {} } = consulView.declared.find((resource) => resource.address === address) ?? {};
  expect(hooksAsRendered(declaring(consulView, address, { body: { ...body, provisioner } }))).toMatchObject([
    { subjects: [address] },
  ]);
});
