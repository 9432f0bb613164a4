import { expect, test } from "@jest/globals";
import { Policy, TokenSelf } from "../../../clients/nomad/acl-schemas.js";
import { rightsOf } from "../../../clients/nomad/rights.js";

const token = (fields: object = {}) =>
  TokenSelf.parse({ AccessorID: "1", Name: "a", Type: "client", Policies: ["p"], Roles: null, ...fields });

const policy = (...namespaces: readonly object[]) =>
  Policy.parse({ Name: "p", RulesJSON: { Namespaces: namespaces, Node: { Policy: "read" } } });

const all = { management: true, readsJobs: true, node: "write", operator: "write" };

test("a management token may do all, and so may anybody where ACLs are off", () => {
  expect(rightsOf(token({ Type: "management" }), [])).toEqual(all);
  expect(rightsOf(token({ AccessorID: "acls-disabled" }), [])).toEqual(all);
});

test.each<[string, boolean, readonly object[]]>([
  ["read-job in all namespaces", true, [{ Name: "*", Capabilities: ["read-job"] }]],
  ["read in all namespaces", true, [{ Name: "*", Policy: "read", Capabilities: null }]],
  ["write in all namespaces", true, [{ Name: "*", Policy: "write", Capabilities: null }]],
  ["one namespace alone", false, [{ Name: "default", Capabilities: ["read-job"] }]],
  ["another capability", false, [{ Name: "*", Capabilities: ["list-jobs"] }]],
  [
    "all, but not one",
    false,
    [
      { Name: "*", Policy: "read" },
      { Name: "secret", Policy: "deny" },
    ],
  ],
  [
    "all, but less in one",
    false,
    [
      { Name: "*", Policy: "read" },
      { Name: "secret", Capabilities: ["list-jobs"] },
    ],
  ],
  [
    "all, and more in one",
    true,
    [
      { Name: "*", Policy: "read" },
      { Name: "team", Policy: "write" },
    ],
  ],
  ["none", false, []],
])("with %s, all jobs are seen: %s", (_title, expected, namespaces) => {
  expect(rightsOf(token(), [policy(...namespaces)]).readsJobs).toBe(expected);
});

test("of several policies the highest counts, and a denial above all", () => {
  const level = (Policy_: string) => Policy.parse({ Name: "p", RulesJSON: { Node: { Policy: Policy_ } } });

  expect(rightsOf(token(), [level("read"), level("write")]).node).toBe("write");
  expect(rightsOf(token(), [level("write"), level("deny")]).node).toBe("none");
  expect(rightsOf(token(), []).node).toBe("none");
});

test("policies without their rules leave all unknown", () => {
  const unknown = {
    management: false,
    readsJobs: "unknown",
    node: "unknown",
    operator: "unknown",
  };

  expect(rightsOf(token(), undefined)).toEqual(unknown);
  expect(rightsOf(token(), [Policy.parse({ Name: "p" })])).toEqual(unknown);
});
