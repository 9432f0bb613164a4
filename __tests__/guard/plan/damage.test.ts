import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { NotAPlan, readPlan } from "../../../guard/plan/read-plan.js";
import { isLong } from "../../support/long.js";
import { damageText, damageValue } from "./damage.js";
import { judge, notAPlan, readFixture, rulesOf, type PlanFixture } from "./plan-fixture.js";

const MAKE_IT = "make it with: terraform show -json PLANFILE";
const SMALL = readFixture("stranger").plan;

describe("What is no plan", () => {
  test("every part of a plan that was cut off is rejected", () => {
    const bytes = new TextEncoder().encode(SMALL.replace('"somebodys"', '"somebody’s"'));
    const told = new Set(Array.from({ length: bytes.length }, (_, end) => notAPlan(bytes.subarray(0, end))));
    expect([...told]).toMatchInlineSnapshot(`
     [
       "not a plan: it is empty; make it with: terraform show -json PLANFILE",
       "not a plan: it is not JSON, or is cut off; make it with: terraform show -json PLANFILE",
       "not a plan: it is not text in UTF-8; make it with: terraform show -json PLANFILE",
     ]
    `);
  });

  test("what PowerShell has written in UTF-16 is read like any other, and rejected where it is cut off", () => {
    const wide = new Uint8Array(Buffer.from(`\ufeff${SMALL}`, "utf16le"));
    expect(readPlan(wide)).toEqual(readPlan(new TextEncoder().encode(SMALL)));
    expect(notAPlan(wide.subarray(0, 101))).toBe(`not a plan: it is not text in UTF-8; ${MAKE_IT}`);
  });

  test.each<[what: string, text: string | Uint8Array]>([
    ["nothing", ""],
    ["white space", " \n"],
    ["bytes that are no UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d)],
    ["UTF-16 that does not say so", new Uint8Array(Buffer.from(SMALL, "utf16le"))],
    [
      "a plan between lines of setup-terraform's wrapper",
      `[command]terraform-bin show -json\n${SMALL}\n::debug::0`,
    ],
    ["a list", "[]"],
    ["a text", '"plan"'],
    ["null", "null"],
    ["an empty object", "{}"],
    ["two documents", `${SMALL}\n${SMALL}`],
    ["a state", '{"version":4,"terraform_version":"1.11.4","serial":1,"resources":[]}'],
    [
      "terraform show -json of a state",
      '{"format_version":"1.0","terraform_version":"1.11.4","values":{"root_module":{}}}',
    ],
    ["a format that is a number", edited((plan) => void (plan["format_version"] = 1.2))],
    ["no version of Terraform", edited((plan) => Reflect.deleteProperty(plan, "terraform_version"))],
    ["a list of variables", edited((plan) => void (plan["variables"] = []))],
    ["resource_changes that is an object", edited((plan) => void (plan["resource_changes"] = { "0": {} }))],
    ["an entry that is a list", edited((plan) => void (plan["resource_changes"] = [[]]))],
    ["no planned_values", edited((plan) => Reflect.deleteProperty(plan, "planned_values"))],
    ["a module that is null", edited((plan) => void (plan["planned_values"] = { root_module: null }))],
    ["an entry without a change", editedEntry((entry) => Reflect.deleteProperty(entry, "change"))],
    ["an entry without a type", editedEntry((entry) => Reflect.deleteProperty(entry, "type"))],
    ["an address that is not of its type", editedEntry((entry) => void (entry["type"] = "null_resource"))],
    ["an address with a key that it has not", editedEntry((entry) => void (entry["index"] = "a"))],
    ["actions that are a text", editedChange((change) => void (change["actions"] = "create"))],
    ["no actions", editedChange((change) => void (change["actions"] = []))],
    ["a resource that is only read", editedChange((change) => void (change["actions"] = ["read"]))],
    ["a no-op that changes something", editedChange((change) => void (change["actions"] = ["no-op"]))],
    ["a deletion of nothing", editedChange((change) => void (change["actions"] = ["delete"]))],
    ["a creation of nothing", editedChange((change) => void (change["after"] = null))],
    ["a creation of what is there", editedChange((change) => void (change["before"] = {}))],
    ["no before", editedChange((change) => Reflect.deleteProperty(change, "before"))],
    ["a poisonous key", SMALL.replace('"change":', '"__proto__":{},"change":')],
    ["another", SMALL.replace('"change":', '"constructor":{},"change":')],
    ["a key twice", SMALL.replace("{", '{"complete":true,')],
    ["a key twice, with spaces", SMALL.replace("{", '{"complete" \n:true,')],
    ["actions twice", SMALL.replace('"actions":', '"actions":["no-op"],"actions":')],
    ["an escaped key twice", SMALL.replace('"actions":', '"\\u0061ctions":["no-op"],"actions":')],
    ["a key twice that ends in a backslash", SMALL.replace("{", '{"a\\\\":1,"a\\\\":2,')],
    [
      "an entry twice",
      edited(
        (plan) =>
          void (plan["resource_changes"] as unknown[]).push(...(plan["resource_changes"] as unknown[])),
      ),
    ],
  ])("rejects %s", (_, text) => {
    expect(notAPlan(text)).toMatchSnapshot();
  });

  test("rejects a plan that is nested too deep to be looked through, wherever", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const [before, after] = [`"before":{"a":${deep}}`, `"after":{"a":${deep}}`];
    expect(notAPlan(deep)).toBe(`not a plan: the document is a list, expected an object; ${MAKE_IT}`);
    const unchanged = editedChange((change) => {
      change["actions"] = ["no-op"];
      change["before"] = change["after"] = "deep";
    });
    const texts = [
      unchanged.replace('"before":"deep"', before).replace('"after":"deep"', after),
      SMALL.replace("{", `{"deep":${deep},"deep":1,`),
      SMALL.replace("{", `{"deep" :${deep},`),
    ];
    for (const text of texts) expect(notAPlan(text)).toBe(`not a plan: it is nested too deep; ${MAKE_IT}`);
  });

  test("a byte order mark is no damage", () => {
    expect(judge(readFixture("no-op"), `\uFEFF${readFixture("no-op").plan}`).verdict).toBe("accepted");
  });

  test("quotes and colons inside of values are no keys", () => {
    const output = { output: { actions: ["no-op"], before: '"actions":[]', after: '\\":"a":' } };
    const text = edited((plan) => void (plan["output_changes"] = output));
    expect(judge(readFixture("stranger"), text).verdict).toBe("rejected");
  });

  test("rejects a text that is longer than one may be, and says so", () => {
    const decode = Object.getOwnPropertyDescriptor(TextDecoder.prototype, "decode") ?? {};
    // What Node throws for more than half a gigabyte.
    const tooLong = (): never => {
      throw Object.assign(new Error("too long"), { code: "ERR_STRING_TOO_LONG" });
    };
    Object.defineProperty(TextDecoder.prototype, "decode", { ...decode, value: tooLong });
    try {
      expect(notAPlan(new Uint8Array(7))).toMatchInlineSnapshot(
        `"not a plan: it has 7 bytes, more than one text may have here; plan one view of a smaller cluster; make it with: terraform show -json PLANFILE"`,
      );
    } finally {
      Object.defineProperty(TextDecoder.prototype, "decode", decode);
    }
  });
});

describe("What cannot be judged", () => {
  const rulesBroken = (change: (plan: Record<string, unknown>) => void, name = "roll-clients"): string[] => {
    const fixture = readFixture(name);
    const plan = JSON.parse(fixture.plan) as Record<string, unknown>;
    change(plan);
    return judge(fixture, JSON.stringify(plan)).violations.map(
      ({ rule, message }) => `${rule}: ${message.slice(0, 120)}`,
    );
  };

  test.each<[what: string, change: (plan: Record<string, unknown>) => void]>([
    ["another major version of the format", (plan) => void (plan["format_version"] = "2.0")],
    ["deferred changes", (plan) => void (plan["deferred_changes"] = [{}])],
    ["a plan that does not say whether it failed", (plan) => Reflect.deleteProperty(plan, "errored")],
    ["no list of changes", (plan) => Reflect.deleteProperty(plan, "resource_changes")],
    [
      "a deployed resource that is left out",
      (plan) => {
        (plan["resource_changes"] as unknown[]).shift();
      },
    ],
    ["no variables", (plan) => Reflect.deleteProperty(plan, "variables")],
    [
      "an action of a newer Terraform",
      (plan) => {
        const [entry] = plan["resource_changes"] as { change: { actions: string[] } }[];
        entry?.change.actions.splice(0, 2, "transmute");
      },
    ],
  ])("rejects %s", (_, change) => {
    expect(rulesBroken(change)).toMatchSnapshot();
  });

  test("rejects an import that does not say that it is one", () => {
    const broken = rulesBroken((plan) => {
      for (const { change } of plan["resource_changes"] as { change: Record<string, unknown> }[]) {
        delete change["importing"];
      }
    }, "import-block");
    expect(broken).toEqual([
      "base-revision: the plan was made from another state than is deployed, which does not hold: terraform_data.broker-1-1",
    ]);
  });

  test("rejects a plan whose configuration leaves a member out, has it twice, or is gone", () => {
    const fixture = readFixture("leave-runs-otherwise");
    const without = (edit: (resources: { address: string }[]) => unknown): string => {
      const plan = JSON.parse(fixture.plan) as {
        configuration: { root_module: { resources: { address: string }[] } };
      };
      const { root_module: module } = plan.configuration;
      module.resources = edit(module.resources) as typeof module.resources;
      return JSON.stringify(plan);
    };
    const isLeave = ({ address }: { address: string }): boolean =>
      address === "terraform_data.broker-0-leave";
    expect(notAPlan(without((resources) => resources.filter((each) => !isLeave(each))))).toBe(
      "not a plan: the configuration does not say what terraform_data.broker-0-leave is; make it with: terraform show -json PLANFILE",
    );
    expect(notAPlan(without((resources) => [...resources, ...resources.filter(isLeave)]))).toBe(
      "not a plan: the configuration has an address twice; make it with: terraform show -json PLANFILE",
    );
    expect(notAPlan(without(() => undefined))).toMatch(/^not a plan: the configuration does not say what /);
  });

  test("what is tainted is told by the plan or by the state, whichever is whole", () => {
    const [tainted, clean] = [readFixture("tainted-leave"), readFixture("roll-clients")];
    const silent = tainted.plan.replaceAll('"replace_because_tainted"', '"replace_by_request"');
    expect(rulesOf(judge(tainted, silent))).toContain("tainted-replacement");
    expect(rulesOf(judge({ ...clean, plan: tainted.plan }))).toContain("tainted-replacement");
  });

  test("an older minor version of the format is known", () => {
    expect(rulesBroken((plan) => void (plan["format_version"] = "1.9"))).toEqual([]);
  });
});

/** Plans that touch two groups, or more. */
const TWO_GROUPS = [
  "two-groups",
  "two-server-groups",
  "destroy",
  "replace-foreign-host",
  "foreign-host-missing",
  "moved-host",
  "import-block",
  "removed-block",
  "block-dropped",
  "tainted-foreign-ready",
];

const RUNS = isLong ? 1000 : 100;

describe("Random damage", () => {
  const seen = new Map(TWO_GROUPS.map((name) => [name, readFixture(name)]));
  const fixtureOf = (name: string): PlanFixture => seen.get(name) ?? readFixture(name);

  test.each([
    ["to the text", damageText],
    ["to a value", damageValue],
  ] as const)("%s of a plan that touches two groups never makes it acceptable", (_, damage) => {
    fc.assert(
      fc.property(fc.constantFrom(...TWO_GROUPS), damage, (name, edit) => {
        const fixture = fixtureOf(name);
        expect(outcome(fixture, edit(fixture.plan))).not.toBe("accepted");
      }),
      { numRuns: RUNS },
    );
  });

  test("of any kind to a plan that is accepted ends in a verdict or in NotAPlan, never in another error", () => {
    const fixture = readFixture("roll-consul-server");
    fc.assert(
      fc.property(fc.oneof(damageText, damageValue), (edit) => {
        expect(["accepted", "rejected", "not a plan"]).toContain(outcome(fixture, edit(fixture.plan)));
      }),
      { numRuns: RUNS },
    );
  });
});

function outcome(fixture: PlanFixture, text: string): string {
  try {
    return judge(fixture, text).verdict;
  } catch (error) {
    if (error instanceof NotAPlan) return "not a plan";
    throw error;
  }
}

/** The small plan with something changed. */
function edited(change: (plan: Record<string, unknown>) => void): string {
  const plan = JSON.parse(SMALL) as Record<string, unknown>;
  change(plan);
  return JSON.stringify(plan);
}

function editedEntry(change: (entry: Record<string, unknown>) => void): string {
  return edited((plan) => {
    const [entry] = plan["resource_changes"] as Record<string, unknown>[];
    if (entry) change(entry);
  });
}

function editedChange(change: (fields: Record<string, unknown>) => void): string {
  return editedEntry((entry) => {
    change(entry["change"] as Record<string, unknown>);
  });
}
