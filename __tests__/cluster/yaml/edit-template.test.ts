import { expect, test } from "@jest/globals";
import { setGroups, type GroupChange } from "../../../cluster/yaml/edit.js";
import { EXAMPLE, exampleWith } from "./example.js";

const changed = (text: string, change: GroupChange): string =>
  setGroups(text, "cluster.yaml", new Map([["broker-1", change]]));

const DISK = "      - { sizeGib: 100, type: gp3 }\n";

test("a whole template is set, and not a byte elsewhere changes", () => {
  const text = exampleWith(
    [
      "    hosts: [3, 3, 3]",
      "    rootVolumes: [{ sizeGib: 20 }, { sizeGib: 30 }, { sizeGib: 20 }]\n    hosts: [3, 3, 3]",
    ],
    ["generations: [0, 0, 0]", "generations: [0, 2, 0]"],
  );
  const template = {
    image: "ami-0bbb",
    instanceType: "m6i.xlarge",
    dataVolume: { sizeGib: 200, type: "gp2" },
    rootVolume: { sizeGib: 25 },
    generation: 3,
  } as const;
  const before = text.slice(0, text.indexOf("  broker:"));
  expect(changed(text, template)).toBe(
    before +
      text
        .slice(before.length)
        .replace("[ami-0aaa, ami-0aaa,", "[ami-0aaa, ami-0bbb,")
        .replace("[m6i.large, m6i.large,", "[m6i.large, m6i.xlarge,")
        .replace("{ sizeGib: 30 }", "{ sizeGib: 25 }")
        .replace("[0, 2, 0]", "[0, 3, 0]")
        .replace(DISK + DISK, `${DISK}${DISK.replace("100", "200").replace("gp3", "gp2")}`),
  );
});

test.each([
  ["in braces", "      - { sizeGib: 100 }\n", "      - { type: gp2, sizeGib: 100 }\n"],
  ["in JSON", '      - {"sizeGib": 100}\n', '      - {"type": "gp2", "sizeGib": 100}\n'],
  [
    "on lines of their own",
    "      - sizeGib: 100 # all of it\n",
    "      - type: gp2\n        sizeGib: 100 # all of it\n",
  ],
])("a volume that says its size alone gets a type, %s", (_, old, expected) => {
  const text = EXAMPLE.replace(DISK + DISK, DISK + old);
  expect(changed(text, { dataVolume: { sizeGib: 100, type: "gp2" } })).toBe(text.replace(old, expected));
  expect(changed(text, { dataVolume: { sizeGib: 100, type: "gp3" } })).toBe(text);
});

test("a volume that its pool does not have is not given to one group", () => {
  expect(changed(EXAMPLE, { rootVolume: { sizeGib: 30 } })).toBe(EXAMPLE);
});
