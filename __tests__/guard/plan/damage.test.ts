import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { NotAPlan } from "../../../guard/plan/read-plan.js";
import { damage, damageText } from "./damage.js";
import { fixtures, judge, notAPlan, readFixture, type PlanFixture } from "./plan-fixture.js";

const SMALL = readFixture("stranger").plan;

describe("What is no plan", () => {
  test("every part of a plan that was cut off is rejected", () => {
    const bytes = new TextEncoder().encode(SMALL.replace('"somebodys"', '"somebody’s"'));
    const told = new Set(Array.from({ length: bytes.length }, (_, end) => notAPlan(bytes.subarray(0, end))));
    expect([...told]).toMatchInlineSnapshot();
  });

  test.each<[what: string, text: string | Uint8Array]>([
    ["nothing", ""],
    ["white space", " \n"],
    ["bytes that are no UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d)],
    ["UTF-16", new Uint8Array(new Uint16Array([...SMALL].map((char) => char.charCodeAt(0))).buffer)],
    ["a list", "[]"],
    ["a text", '"plan"'],
    ["null", "null"],
    ["an empty object", "{}"],
    ["two documents", `${SMALL}\n${SMALL}`],
    ["a state", '{"version":4,"terraform_version":"1.11.4","serial":1,"resources":[]}'],
    ["terraform show -json of a state", '{"format_version":"1.0","terraform_version":"1.11.4","values":{"root_module":{}}}'],
    ["a format that is a number", edited((plan) => void (plan["format_version"] = 1.2))],
    ["no version of Terraform", edited((plan) => void delete plan["terraform_version"])],
    ["a list of variables", edited((plan) => void (plan["variables"] = []))],
    ["resource_changes that is an object", edited((plan) => void (plan["resource_changes"] = { "0": {} }))],
    ["an entry that is a list", edited((plan) => void (plan["resource_changes"] = [[]]))],
    ["no planned_values", edited((plan) => void delete plan["planned_values"])],
    ["a module that is null", edited((plan) => void (plan["planned_values"] = { root_module: null }))],
    ["an entry without a change", editedEntry((entry) => void delete entry["change"])],
    ["an entry without a type", editedEntry((entry) => void delete entry["type"])],
    ["an address that is not of its type", editedEntry((entry) => void (entry["type"] = "null_resource"))],
    ["an address with a key that it has not", editedEntry((entry) => void (entry["index"] = "a"))],
    ["actions that are a text", editedChange((change) => void (change["actions"] = "create"))],
    ["no actions", editedChange((change) => void (change["actions"] = []))],
    ["actions that do not go together", editedChange((change) => void (change["actions"] = ["no-op", "create"]))],
    ["a resource that is only read", editedChange((change) => void (change["actions"] = ["read"]))],
    ["a no-op that changes something", editedChange((change) => void (change["actions"] = ["no-op"]))],
    ["a deletion of nothing", editedChange((change) => void (change["actions"] = ["delete"]))],
    ["a creation of nothing", editedChange((change) => void (change["after"] = null))],
    ["a creation of what is there", editedChange((change) => void (change["before"] = {}))],
    ["no before", editedChange((change) => void delete change["before"])],
    ["a poisonous key", SMALL.replace('"change":', '"__proto__":{},"change":')],
    ["another", SMALL.replace('"change":', '"constructor":{},"change":')],
    ["a key twice", SMALL.replace("{", '{"complete":true,')],
    ["a key twice, with spaces", SMALL.replace("{", '{"complete" \n:true,')],
    ["actions twice", SMALL.replace('"actions":', '"actions":["no-op"],"actions":')],
    ["an escaped key twice", SMALL.replace('"actions":', '"\\u0061ctions":["no-op"],"actions":')],
    ["a key twice that ends in a backslash", SMALL.replace("{", '{"a\\\\":1,"a\\\\":2,')],
    ["an entry twice", edited((plan) => void (plan["resource_changes"] as unknown[]).push(...(plan["resource_changes"] as unknown[])))],
  ])("rejects %s", (_, text) => {
    expect(notAPlan(text)).toMatchSnapshot();
  });
});
