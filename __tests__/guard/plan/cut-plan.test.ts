import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { cutPlan } from "../../../guard/plan/cut-plan.js";
import type { Plan } from "../../../guard/plan/plan.js";
import { NotAPlan, readCutPlan, readPlan, readPlanned } from "../../../guard/plan/read-plan.js";
import { damageText, damageValue } from "./damage.js";
import { fixtureNames, readFixtureFiles } from "./plan-fixture.js";

const PLAN = readFixtureFiles("roll-clients").plan;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

test("a plan that is cut is the very plan that is read as a whole", () => {
  const texts = fixtureNames.map((name) => readFixtureFiles(name).plan);
  const cut = texts.filter((text) => {
    const plan = inParts(bytesOf(text));
    if (plan) expect(isDeepStrictEqual(plan, readPlan(bytesOf(text)))).toBe(true);
    return plan;
  });
  expect(cut.length).toBeGreaterThan(30);
});

test("resources that the changes leave out are found in what was set aside", () => {
  const text = PLAN.replace('"planned_values":{"root_module":{"resources":[', (start) => {
    return `${start}{"address":"terraform_data.new","mode":"managed"},`;
  });
  expect(inParts(bytesOf(text))?.gaps).toEqual(["it does not say what happens to terraform_data.new"]);
});

describe("Damage", () => {
  test.each<[what: string, text: string | Uint8Array]>([
    ["a key that stands twice in planned_values", PLAN.replace('"planned_values":{', '$&"x":1,"x":2,')],
    ["a key that stands twice in prior_state", PLAN.replace('"prior_state":{', '$&"x":1,"x":2,')],
    ["an escaped key that stands twice", PLAN.replace('"prior_state":{', '$&"x":1,"\\u0078":2,')],
    ["prior_state twice", PLAN.replace("{", '{"prior_state":{},')],
    ["planned_values twice", PLAN.replace(/}\s*$/, ',"planned_values":{}}')],
    ["a key in two parts", PLAN.replace(/}\s*$/, ',"resource_changes":[]}')],
    ["bytes that are no UTF-8 in prior_state", withByte('"prior_state":{"', 0xff)],
    ["bytes that are no UTF-8 in planned_values", withByte('"planned_values":{"', 0xff)],
    ["a byte order mark before a value", PLAN.replace('"prior_state":', "$&\uFEFF")],
    ["a comma too many before planned_values", PLAN.replace(',"planned_values"', ",$&")],
    ["a comma too many after it", PLAN.replace(/,"resource_(drift|changes)"/, ",$&")],
    ["a comma too many before the configuration", PLAN.replace(',"configuration"', ",$&")],
    ["nothing before planned_values", `{${PLAN.slice(PLAN.indexOf(',"planned_values"'))}`],
    ["no value", PLAN.replace(/"prior_state":.*,"configuration":/, '"prior_state":,"configuration":')],
    ["something behind its end", `${PLAN}}`],
    ["a bracket of another kind at its end", PLAN.replace(/}\s*$/, "]")],
  ])("rejects %s, in parts as in one", (_, text) => {
    const bytes = typeof text === "string" ? bytesOf(text) : text;
    expect(Buffer.from(bytes).equals(bytesOf(PLAN))).toBe(false);
    expect(cutPlan(bytes)).toBeDefined();
    expect(inParts(bytes)).toBeUndefined();
    expect(() => readPlan(bytes)).toThrow(NotAPlan);
  });

  test("a key deep in the document is no place to cut", () => {
    const text = PLAN.replace('"variables":{', '$&"x":{"a":1,"planned_values":{},"prior_state":{}},');
    expect(cutPlan(bytesOf(text))).toBeDefined();
    expect(inParts(bytesOf(text))).toBeUndefined();
    expect(readPlan(bytesOf(text)).view).toBe("broker-0");
  });

  test("rejects every part of a plan that was cut off", () => {
    const bytes = bytesOf(PLAN.trimEnd());
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length - 1 }), (end) => {
        expect(inParts(bytes.subarray(0, end))).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  test("of any kind leaves a plan that is the same in parts as in one, or none", () => {
    fc.assert(
      fc.property(fc.oneof(damageText, damageValue), (edit) => {
        const bytes = bytesOf(edit(PLAN));
        const plan = inParts(bytes);
        if (plan) expect(isDeepStrictEqual(plan, readPlan(bytes))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

/** The plan as two threads read it; undefined where it would be read once more as a whole. */
function inParts(bytes: Uint8Array): Plan | undefined {
  const cut = cutPlan(bytes);
  try {
    return cut && readCutPlan(cut)(readPlanned(cut.aside));
  } catch (error) {
    if (error instanceof NotAPlan) return undefined;
    throw error;
  }
}

/** The plan with a byte behind a text that stands in it. */
function withByte(text: string, byte: number): Uint8Array {
  const at = PLAN.indexOf(text) + text.length;
  return Buffer.concat([bytesOf(PLAN.slice(0, at)), Uint8Array.of(byte), bytesOf(PLAN.slice(at))]);
}
