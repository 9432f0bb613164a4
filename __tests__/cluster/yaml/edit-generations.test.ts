import { describe, expect, test } from "@jest/globals";
import { setGroups } from "../../../cluster/yaml/edit.js";
import { errorOf, EXAMPLE, exampleWith, specOf } from "./example.js";

const raised = (text: string, group: string, generation = 1): string =>
  setGroups(text, "cluster.yaml", new Map([[group, { generation }]]));

const TYPES = "    instanceTypes: [t3.small, t3.small, t3.small]\n  nomad-server:";

describe("a generation is raised", () => {
  test("where the pool has generations, and not a byte elsewhere changes", () => {
    expect(raised(EXAMPLE, "broker-1")).toBe(
      EXAMPLE.replace("generations: [0, 0, 0] # raise", "generations: [0, 1, 0] # raise"),
    );
  });

  test.each([
    [
      "a block list",
      "\n      - 0 # one\n      - 7\n      - 0\n   ",
      "\n      - 0 # one\n      - 8\n      - 0\n   ",
    ],
    ["an anchor and a tag", "[0, &a !!int 7, 0]", "[0, &a !!int 8, 0]"],
  ])("in %s", (_, old, expected) => {
    const text = exampleWith(["generations: [0, 0, 0]", `generations: ${old}`]);
    expect(raised(text, "broker-1", 8)).toBe(text.replace(old, expected));
  });

  test("with the image, in one edit", () => {
    const changes = new Map([["broker-2", { image: "ami-0bbb", generation: 4 }]]);
    const pool = specOf(setGroups(EXAMPLE, "cluster.yaml", changes)).pools["broker"];
    expect(pool?.images).toEqual(["ami-0aaa", "ami-0aaa", "ami-0bbb"]);
    expect(pool?.generations).toEqual([0, 0, 4]);
  });

  test("of two groups of one pool that has none", () => {
    const changes = new Map([
      ["name-server-0", { generation: 1 }],
      ["name-server-2", { generation: 2 }],
    ]);
    const edited = setGroups(EXAMPLE, "cluster.yaml", changes);
    expect(specOf(edited).pools["name-server"]?.generations).toEqual([1, 0, 2]);
  });

  test("not where it is the same", () => {
    expect(raised(EXAMPLE, "broker-1", 0)).toBe(EXAMPLE);
    expect(raised(EXAMPLE, "name-server-1", 0)).toBe(EXAMPLE);
  });
});

describe("a pool without generations gets them", () => {
  const line = "    generations: [0, 1, 0]\n";

  test("on a line of their own behind the instance types", () => {
    expect(raised(EXAMPLE, "consul-server-1")).toBe(EXAMPLE.replace(TYPES, TYPES.replace("\n", `\n${line}`)));
  });

  test("behind a comment, which stays where it is", () => {
    const text = exampleWith([
      TYPES,
      TYPES.replace("]\n", "]  # small ones\n    # a word on the next pool\n"),
    ]);
    expect(raised(text, "consul-server-1")).toBe(text.replace("# small ones\n", `# small ones\n${line}`));
  });

  test("with the file's own line ends", () => {
    const edited = raised(EXAMPLE.replaceAll("\n", "\r\n"), "consul-server-1");
    expect(edited).toBe(raised(EXAMPLE, "consul-server-1").replaceAll("\n", "\r\n"));
  });

  test("at the end of a file that has no line end there", () => {
    const [head = "", tail = ""] = EXAMPLE.split("pools:");
    const text = `${head}rollout: { pendingGroups: one }\npools:${tail}`
      .replace(/\nrollout: \{ pendingGroups: one \} # one.*\n/, "\n")
      .replace(/ {2}name-server:\n.*\n.*\n/, "")
      .concat("  name-server:\n    images: [ami-0aaa, ami-0aaa, ami-0aaa]\n    instanceTypes: [a, a, a]");
    expect(raised(text, "name-server-1")).toBe(`${text}\n    generations: [0, 1, 0]`);
  });

  test("in a map of braces on one line", () => {
    const text = exampleWith([
      "  nomad-server:\n    images: [ami-0aaa, ami-0aaa, ami-0aaa]\n    instanceTypes: [t3.small, t3.small, t3.small]",
      "  nomad-server: { instanceTypes: [a, a, a], images: [ami-0aaa, ami-0aaa, ami-0aaa] }",
    ]);
    expect(raised(text, "nomad-server-1")).toContain(
      "{ instanceTypes: [a, a, a], generations: [0, 1, 0], images:",
    );
  });

  test("in JSON, quoted, on a line of their own", () => {
    const { protection, ...spec } = specOf(EXAMPLE);
    expect(protection).toBe("on");
    const edited = raised(JSON.stringify(spec, null, 2), "name-server-1");
    expect(edited).toContain('      ],\n      "generations": [0, 1, 0],\n      "workload"');
    expect(specOf(edited).pools["name-server"]?.generations).toEqual([0, 1, 0]);
  });

  test.each([
    ["the types stand on several lines", "instanceTypes:\n      - a\n      - a\n      - a"],
    ["the key is a long one", "? instanceTypes\n    : [a, a, a]"],
  ])("refuses to guess a place where %s", (_, types) => {
    const text = exampleWith([TYPES, TYPES.replace("instanceTypes: [t3.small, t3.small, t3.small]", types)]);
    expect(errorOf(() => raised(text, "consul-server-1"))).toBe(
      "there is no plain place for generations in pools.consul-server of cluster.yaml; add this line to the pool yourself, and run this again: generations: [0, 0, 0]",
    );
  });
});
