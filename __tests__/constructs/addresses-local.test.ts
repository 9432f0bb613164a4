import { expect, test } from "@jest/globals";
import { readDeclared } from "../../guard/declared.js";
import { agentsSpec, localSpec, nothing, synthesize } from "../support/fixtures.js";

/**
 * The addresses of the example on local. They are a contract with every state that exists: a resource whose address changes
 * is destroyed and created anew. Do not change one; a new one is added.
 */
const ADDRESSES = `
  terraform_data.broker-load-balancer

  terraform_data.consul-server-0-0
  terraform_data.consul-server-0-0-config-consul
  terraform_data.consul-server-0-leave
  terraform_data.consul-server-0-ready
  terraform_data.consul-server-0-revision

  terraform_data.consul-server-1-0
  terraform_data.consul-server-1-0-config-consul
  terraform_data.consul-server-1-leave
  terraform_data.consul-server-1-ready
  terraform_data.consul-server-1-revision

  terraform_data.consul-server-2-0
  terraform_data.consul-server-2-0-config-consul
  terraform_data.consul-server-2-leave
  terraform_data.consul-server-2-ready
  terraform_data.consul-server-2-revision

  terraform_data.nomad-server-0-0
  terraform_data.nomad-server-0-0-config-consul
  terraform_data.nomad-server-0-leave
  terraform_data.nomad-server-0-ready
  terraform_data.nomad-server-0-revision

  terraform_data.nomad-server-1-0
  terraform_data.nomad-server-1-0-config-consul
  terraform_data.nomad-server-1-leave
  terraform_data.nomad-server-1-ready
  terraform_data.nomad-server-1-revision

  terraform_data.nomad-server-2-0
  terraform_data.nomad-server-2-0-config-consul
  terraform_data.nomad-server-2-leave
  terraform_data.nomad-server-2-ready
  terraform_data.nomad-server-2-revision

  terraform_data.name-server-0-0
  terraform_data.name-server-0-0-config-consul
  terraform_data.name-server-0-leave
  terraform_data.name-server-0-ready
  terraform_data.name-server-0-revision

  terraform_data.name-server-1-0
  terraform_data.name-server-1-0-config-consul
  terraform_data.name-server-1-leave
  terraform_data.name-server-1-ready
  terraform_data.name-server-1-revision

  terraform_data.name-server-2-0
  terraform_data.name-server-2-0-config-consul
  terraform_data.name-server-2-leave
  terraform_data.name-server-2-ready
  terraform_data.name-server-2-revision

  terraform_data.broker-0-0
  terraform_data.broker-0-0-data
  terraform_data.broker-0-0-data-attachment
  terraform_data.broker-0-0-config-consul
  terraform_data.broker-0-0-target
  terraform_data.broker-0-1
  terraform_data.broker-0-1-data
  terraform_data.broker-0-1-data-attachment
  terraform_data.broker-0-1-config-consul
  terraform_data.broker-0-1-target
  terraform_data.broker-0-2
  terraform_data.broker-0-2-data
  terraform_data.broker-0-2-data-attachment
  terraform_data.broker-0-2-config-consul
  terraform_data.broker-0-2-target
  terraform_data.broker-0-leave
  terraform_data.broker-0-ready
  terraform_data.broker-0-revision

  terraform_data.broker-1-0
  terraform_data.broker-1-0-data
  terraform_data.broker-1-0-data-attachment
  terraform_data.broker-1-0-config-consul
  terraform_data.broker-1-0-target
  terraform_data.broker-1-1
  terraform_data.broker-1-1-data
  terraform_data.broker-1-1-data-attachment
  terraform_data.broker-1-1-config-consul
  terraform_data.broker-1-1-target
  terraform_data.broker-1-2
  terraform_data.broker-1-2-data
  terraform_data.broker-1-2-data-attachment
  terraform_data.broker-1-2-config-consul
  terraform_data.broker-1-2-target
  terraform_data.broker-1-leave
  terraform_data.broker-1-ready
  terraform_data.broker-1-revision

  terraform_data.broker-2-0
  terraform_data.broker-2-0-data
  terraform_data.broker-2-0-data-attachment
  terraform_data.broker-2-0-config-consul
  terraform_data.broker-2-0-target
  terraform_data.broker-2-1
  terraform_data.broker-2-1-data
  terraform_data.broker-2-1-data-attachment
  terraform_data.broker-2-1-config-consul
  terraform_data.broker-2-1-target
  terraform_data.broker-2-2
  terraform_data.broker-2-2-data
  terraform_data.broker-2-2-data-attachment
  terraform_data.broker-2-2-config-consul
  terraform_data.broker-2-2-target
  terraform_data.broker-2-leave
  terraform_data.broker-2-ready
  terraform_data.broker-2-revision
`;

const spec = localSpec();
const cluster: unknown = JSON.parse(synthesize(spec, nothing(), ["cluster"]).get("cluster") ?? "");
const declared = readDeclared(cluster);

test("the example has exactly these addresses on local", () => {
  const pinned = ADDRESSES.trim().split(/\s+/);
  expect(declared.map(({ address }) => address).sort()).toEqual(pinned.sort());
});

test("where Terraform starts the agents each host has two addresses more", () => {
  const view: unknown = JSON.parse(synthesize(agentsSpec(), nothing(), ["cluster"]).get("cluster") ?? "");
  const known = new Set(declared.map(({ address }) => address));
  const more = readDeclared(view).filter(({ address }) => !known.has(address));
  expect(more).toHaveLength(2 * declared.filter(({ member }) => member?.kind === "host").length);
  expect(
    more.map(({ address }) => address).filter((address) => /\.(consul-server-1|broker-2)-/.test(address)),
  ).toEqual([
    "terraform_data.broker-2-0-start-agents",
    "terraform_data.broker-2-0-stop-agents",
    "terraform_data.broker-2-1-start-agents",
    "terraform_data.broker-2-1-stop-agents",
    "terraform_data.broker-2-2-start-agents",
    "terraform_data.broker-2-2-stop-agents",
    "terraform_data.consul-server-1-0-start-agents",
    "terraform_data.consul-server-1-0-stop-agents",
  ]);
});

test("a member belongs to the group of its construct path, which is the group of its address", () => {
  const members = declared.filter(({ member }) => member !== undefined);
  expect(members).toHaveLength(99);
  expect(members.map(({ address, group }) => [address, group])).toEqual(
    members.map(({ address, member }) => [address, member?.group]),
  );
});

test("shared parts belong to no group, by path nor by address", () => {
  const shared = declared.filter(({ group }) => group === undefined);
  expect(shared).toHaveLength(1);
  expect(shared.filter(({ member }) => member !== undefined)).toEqual([]);
});
