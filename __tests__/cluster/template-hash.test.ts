import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { groupsOf } from "../../cluster/groups.js";
import { templateHash, type Template } from "../../cluster/template-hash.js";
import { EXAMPLE, exampleWith, specOf } from "./yaml/example.js";

// A new version of this program that changes one of these makes every group of every cluster pending.
test.each<[string, Template]>([
  ["a651fe3015", { image: "ami-0aaa", instanceType: "t3.small", generation: 0 }],
  ["485a4c805f", { image: "ami-0bbb", instanceType: "t3.small", generation: 0 }],
  ["fab9c00084", { image: "ami-0aaa", instanceType: "m6i.large", generation: 0 }],
  ["313d92750d", { image: "ami-0aaa", instanceType: "t3.small", generation: 1 }],
  [
    "9a69a6cfc4",
    { image: "ami-0aaa", instanceType: "t3.small", generation: 0, dataVolume: { sizeGib: 100, type: "gp3" } },
  ],
  ["7d1c3f9da9", { image: "ami-0aaa", instanceType: "t3.small", generation: 0, rootVolume: { sizeGib: 20 } }],
  [
    "162be8987e",
    {
      image: "ami-0aaa",
      instanceType: "t3.small",
      generation: 2,
      dataVolume: { sizeGib: 100, type: "gp3" },
      rootVolume: { sizeGib: 20 },
    },
  ],
])("the hash %s belongs to these values for ever", (hash, template) => {
  expect(templateHash(template)).toBe(hash);
});

test("the example's groups keep their hashes", () => {
  const hashes = Object.fromEntries(groupsOf(specOf(EXAMPLE)).map(({ name, hash }) => [name, hash]));
  expect(hashes).toMatchInlineSnapshot(`
   {
     "broker-0": "9ed2e93399",
     "broker-1": "9ed2e93399",
     "broker-2": "9ed2e93399",
     "consul-server-0": "a651fe3015",
     "consul-server-1": "a651fe3015",
     "consul-server-2": "a651fe3015",
     "name-server-0": "a651fe3015",
     "name-server-1": "a651fe3015",
     "name-server-2": "a651fe3015",
     "nomad-server-0": "a651fe3015",
     "nomad-server-1": "a651fe3015",
     "nomad-server-2": "a651fe3015",
   }
  `);
});

test("a default that is written out does not change the hash", () => {
  const bare = exampleWith(
    ["    generations: [0, 0, 0] # raise one to replace unchanged machines\n", ""],
    [", type: gp3", ""],
  );
  expect(groupsOf(specOf(bare)).map(({ hash }) => hash)).toEqual(
    groupsOf(specOf(EXAMPLE)).map(({ hash }) => hash),
  );
});

test("the order of a template's keys does not matter", () => {
  fc.assert(
    fc.property(anyTemplate, (template) => {
      const reversed = Object.fromEntries(Object.entries(template).reverse()) as unknown as Template;
      expect(templateHash(reversed)).toBe(templateHash(template));
    }),
  );
});

test("any changed value changes the hash, and nothing else does", () => {
  fc.assert(
    fc.property(anyTemplate, anyTemplate, (one, other) => {
      expect(templateHash(one) === templateHash(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
    }),
    { numRuns: 1000 },
  );
});

test("a hash is ten hexadecimal digits", () => {
  fc.assert(
    fc.property(anyTemplate, (template) => {
      expect(templateHash(template)).toMatch(/^[0-9a-f]{10}$/);
    }),
  );
});

const anyTemplate: fc.Arbitrary<Template> = fc.record(
  {
    image: fc.constantFrom("ami-0aaa", "ami-0bbb", "ami-0aaab"),
    instanceType: fc.constantFrom("t3.small", "m6i.large"),
    generation: fc.nat(2),
    dataVolume: fc.record({ sizeGib: fc.integer({ min: 1, max: 3 }), type: fc.constantFrom("gp3", "st1") }),
    rootVolume: fc.record({ sizeGib: fc.integer({ min: 1, max: 3 }) }),
  },
  { requiredKeys: ["image", "instanceType", "generation"] },
);
