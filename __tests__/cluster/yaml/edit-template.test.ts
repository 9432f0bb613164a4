import { expect, test } from "@jest/globals";
import { setGroups, type GroupChange } from "../../../cluster/yaml/edit.js";
import { loadSpec } from "../../../cluster/yaml/load.js";
import { withUserData } from "../../../cluster/yaml/user-data-files.js";
import { errorOf, EXAMPLE, exampleWith } from "./example.js";

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
        .replace(DISK + DISK, `${DISK}${DISK.replace("gp3", "gp2")}`),
  );
});

test("the size of a data volume is that of the spec, whatever was recorded, unless another is asked for", () => {
  const text = EXAMPLE.replace(DISK + DISK, `${DISK}      - { sizeGib: 300, type: gp3, iops: 6000 }\n`);
  const dataVolume = { sizeGib: 100, type: "gp3" } as const;
  expect(changed(text, { dataVolume })).toBe(text);
  expect(changed(text, { dataVolume, volumeGib: 400 })).toBe(text.replace("300", "400"));
});

test.each([
  [
    "      - { sizeGib: 100, type: gp3, iops: 6000, throughput: 500 }\n",
    "      - { sizeGib: 100, type: gp2 }\n",
  ],
  [
    "      - { iops: 6000, sizeGib: 100, throughput: 500, type: gp3 }\n",
    "      - { sizeGib: 100, type: gp2 }\n",
  ],
  [
    "      - sizeGib: 100 # data\n        type: gp3\n        iops: 6000\n",
    "      - sizeGib: 100 # data\n        type: gp2\n",
  ],
  [
    "      - throughput: 500\n        iops: 6000\n        type: gp3\n        # data\n        sizeGib: 100\n",
    "      - type: gp2\n        # data\n        sizeGib: 100\n",
  ],
])("of a volume that gets another type what that does not take is taken out: %j", (from, to) => {
  const text = EXAMPLE.replace(DISK + DISK, DISK + from);
  const dataVolume = { sizeGib: 100, type: "gp2" } as const;
  expect(changed(text, { dataVolume })).toBe(text.replace(from, () => to));
});

test("refuses another type of a volume that leaves it to the default", () => {
  const text = EXAMPLE.replace(DISK + DISK, `${DISK}      - { sizeGib: 100 }\n`);
  expect(changed(text, { dataVolume: { sizeGib: 100, type: "gp3" } })).toBe(text);
  expect(errorOf(() => changed(text, { dataVolume: { sizeGib: 100, type: "gp2" } }))).toBe(
    "cluster.yaml does not say the type of pools.broker.dataVolumes.1; write type: gp2 there yourself, and run this again",
  );
});

test("a volume that its pool does not have is not given to one group", () => {
  expect(changed(EXAMPLE, { rootVolume: { sizeGib: 30 } })).toBe(EXAMPLE);
});

const OWN = {
  image: "ami-0aaa",
  instanceType: "m6i.large",
  generation: 0,
  instanceProfile: "brokers",
  securityGroupIds: ["sg-0a1"],
  tags: { team: "data" },
  userData: { file: "own.sh", sha256: "0a" },
} as const;

const KEYS = [
  'userData: [null,"own.sh",null]',
  'tags: [{},{"team":"data"},{}]',
  'securityGroupIds: [[],["sg-0a1"],[]]',
  'instanceProfiles: [null,"brokers",null]',
];

test("what a group is to have of its own gets keys that its pool has not, for it alone", () => {
  const types = "    instanceTypes: [m6i.large, m6i.large, m6i.large]\n";
  expect(changed(EXAMPLE, OWN)).toBe(
    EXAMPLE.replace(types, types + KEYS.map((key) => `    ${key}\n`).join("")),
  );
});

test("what a whole template has not is taken away, in whatever style it stands; a mere image takes nothing", () => {
  const text = exampleWith([
    "    hosts: [3, 3, 3]",
    [
      "    instanceProfiles: [a, b, c] # by team",
      "    tags:",
      "      - team: web",
      "      - team: data",
      "        cost: '12' # a month",
      "      - {}",
      "    userData: [own.sh, ~, other.sh]",
      "    hosts: [3, 3, 3]",
    ].join("\n"),
  ]);
  const template = { image: "ami-0aaa", instanceType: "m6i.large", generation: 0 };
  const read = withUserData(loadSpec(text, "cluster.yaml"), "cluster.yaml", () =>
    new TextEncoder().encode("#!/bin/sh\n"),
  );
  const set = (change: GroupChange): string =>
    setGroups(text, "cluster.yaml", new Map([["broker-1", change]]), read);
  expect(set({ image: "ami-0aaa" })).toBe(text);
  expect(set(template)).toBe(
    text.replace("[a, b, c]", "[a, null, c]").replace("- team: data\n        cost: '12' # a month", "- {}"),
  );
  expect(set({ ...template, instanceProfile: "b", tags: { cost: "12", team: "data" } })).toBe(text);
});
