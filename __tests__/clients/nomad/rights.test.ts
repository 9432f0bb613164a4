import { expect, test } from "@jest/globals";
import * as z from "zod";
import { Policy, TokenSelf } from "../../../clients/nomad/acl-schemas.js";
import { rightsOf } from "../../../clients/nomad/rights.js";

const token = (fields: object = {}) =>
  TokenSelf.parse({ AccessorID: "1", Name: "a", Type: "client", Policies: ["p"], Roles: null, ...fields });

const policy = (...namespaces: readonly object[]) =>
  Policy.parse({ Name: "p", RulesJSON: { Namespaces: namespaces, Node: { Policy: "read" } } });

const all = ["node:read", "node:write", "list-jobs", "read-job", "operator:read", "agent:read", "management"];

test("a management token may do all, and so may anybody where ACLs are off", () => {
  expect(rightsOf(undefined, undefined)).toEqual(all);
  expect(rightsOf(token({ Type: "management" }), [])).toEqual(all);
  expect(rightsOf(token({ AccessorID: "acls-disabled" }), [])).toEqual(all);
});

test.each<[string, boolean, readonly object[]]>([
  ["read-job in all namespaces", true, [{ Name: "*", Capabilities: ["read-job"] }]],
  ["read in all namespaces", true, [{ Name: "*", Policy: "read", Capabilities: null }]],
  ["write in all namespaces", true, [{ Name: "*", Policy: "write", Capabilities: null }]],
  ["one namespace alone", false, [{ Name: "default", Capabilities: ["read-job"] }]],
  ["another capability", false, [{ Name: "*", Capabilities: ["submit-job"] }]],
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
  const inTheirPlace = JSON.stringify(namespaces)
    .replaceAll("list-jobs", "other")
    .replaceAll("read-job", "list-jobs");

  expect(rightsOf(token(), [policy(...namespaces)])?.includes("read-job")).toBe(expected);
  const listed = rightsOf(token(), [policy(...z.array(z.looseObject({})).parse(JSON.parse(inTheirPlace)))]);
  expect(listed?.includes("list-jobs")).toBe(expected);
});

test("reading jobs is not listing them, nor the other way round", () => {
  const only = (capability: string) => rightsOf(token(), [policy({ Name: "*", Capabilities: [capability] })]);

  expect(only("read-job")).toEqual(["node:read", "read-job"]);
  expect(only("list-jobs")).toEqual(["node:read", "list-jobs"]);
});

test("of several policies the highest counts, and a denial above all", () => {
  const level = (Policy_: string) => Policy.parse({ Name: "p", RulesJSON: { Node: { Policy: Policy_ } } });

  expect(rightsOf(token(), [level("read")])).toEqual(["node:read"]);
  expect(rightsOf(token(), [level("read"), level("write")])).toEqual(["node:read", "node:write"]);
  expect(rightsOf(token(), [level("write"), level("deny")])).toEqual([]);
  expect(rightsOf(token(), [])).toEqual([]);
});

test.each(["Operator", "Agent"])("%s is read, also by who may write", (rule) => {
  const level = (Policy_: string) =>
    rightsOf(token(), [Policy.parse({ Name: "p", RulesJSON: { [rule]: { Policy: Policy_ } } })]);

  expect(level("read")).toEqual([`${rule.toLowerCase()}:read`]);
  expect(level("write")).toEqual([`${rule.toLowerCase()}:read`]);
  expect(level("deny")).toEqual([]);
});

test("policies without their rules leave all unknown", () => {
  expect(rightsOf(token(), undefined)).toBeUndefined();
  expect(rightsOf(token(), [Policy.parse({ Name: "p" })])).toBeUndefined();
});
