import { expect, test } from "@jest/globals";
import { YamlSource } from "../../../cluster/yaml/yaml-source.js";
import { errorOf, EXAMPLE, exampleWith, refusal } from "./example.js";

test("a value's line is that of its key, or of the list's item", () => {
  const source = new YamlSource("a:\n  b:\n    - x\n    - y\n", "cluster.yaml");
  expect(source.lineOf(["a", "b"])).toBe(2);
  expect(source.lineOf(["a", "b", 1])).toBe(4);
});

test("the line of what is missing is that of the nearest thing around it", () => {
  const source = new YamlSource("a:\n  b:\n    - x\n", "cluster.yaml");
  expect(source.lineOf(["a", "b", 7])).toBe(2);
  expect(source.lineOf(["a", "c", "d"])).toBe(1);
  expect(source.lineOf(["z"])).toBeUndefined();
});

test("lines are counted with CRLF, too", () => {
  const source = new YamlSource("a: 1\r\nb:\r\n  c: 2\r\n", "cluster.yaml");
  expect(source.lineOf(["b", "c"])).toBe(3);
});

test("a key that is no text is found by what it is called", () => {
  const source = new YamlSource("1:\n  true: x\nnull: y\n", "cluster.yaml");
  expect([source.lineOf(["1"]), source.lineOf(["1", "true"]), source.lineOf([""])]).toEqual([1, 2, 3]);
});

test("a node has its place in the text", () => {
  const text = "a: [x, 'y']\n";
  const [start, end] = new YamlSource(text, "cluster.yaml").nodeAt(["a", 1])?.range ?? [];
  expect(text.slice(start, end)).toBe("'y'");
});

test("names of an object's prototype are keys like any other", () => {
  const source = new YamlSource("constructor: 1\n__proto__:\n  toString: 2\n", "cluster.yaml");
  expect(Object.keys(source.value as object)).toEqual(["constructor", "__proto__"]);
  expect(source.lineOf(["__proto__", "toString"])).toBe(3);
  expect(source.nodeAt(["hasOwnProperty"])).toBeUndefined();
});

test.each([
  ["an empty file", ""],
  ["white space", " \n\n"],
  ["comments only", "# nothing\n# here\n"],
  ["a document without content", "---\n"],
  ["null", "null\n"],
])("refuses %s as empty", (_, text) => {
  expect(refusal(text)).toBe("cluster.yaml: the file is empty; start from cluster.example.yaml");
});

test("refuses tabs as indentation, each with its line and without what follows from them", () => {
  const text = exampleWith(["  region:", "\tregion:"], ["    hosts:", "\thosts:"]);
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:7: not valid YAML: a tab is used for indentation; use spaces
   cluster.yaml:26: not valid YAML: a tab is used for indentation; use spaces"
  `);
});

test("refuses a key that stands twice, with its path and both lines", () => {
  const text = exampleWith(["    hosts: [3", "    images: [a, b, c]\n    hosts: [3"]) + "name: other\n";
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:26: pools.broker.images: the key stands here a second time, after line 24; keep one
   cluster.yaml:36: name: the key stands here a second time, after line 4; keep one"
  `);
});

test("refuses every alias, with its path", () => {
  const text = exampleWith(
    ["images: [ami-0aaa, ami-0aaa, ami-0aaa]", "images: [&image ami-0aaa, *image, *image]"],
    ["      - { sizeGib: 100, type: gp3 }", "      - &disk { sizeGib: 100, type: gp3 }\n      - *disk"],
  );
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:15: pools.consul-server.images[1]: the alias *image is not allowed; write the value out, so that a change reaches one group only
   cluster.yaml:15: pools.consul-server.images[2]: the alias *image is not allowed; write the value out, so that a change reaches one group only
   cluster.yaml:30: pools.broker.dataVolumes[1]: the alias *disk is not allowed; write the value out, so that a change reaches one group only"
  `);
});

test("refuses an alias of nothing", () => {
  expect(refusal("name: *nothing\n")).toMatchInlineSnapshot(
    `"cluster.yaml:1: name: the alias *nothing is not allowed; write the value out, so that a change reaches one group only"`,
  );
});

test("refuses a merge key, which would hide where a value comes from", () => {
  expect(
    refusal(exampleWith(["    hosts: [3, 3, 3]", "    <<: { hosts: [3, 3, 3] }"])),
  ).toMatchInlineSnapshot(
    `"cluster.yaml:26: pools.broker.<<: unknown key; known here: images, instanceTypes, rootVolumes, instanceProfiles, securityGroupIds, tags, userData, generations, hosts, maxUnavailable, maxSurge, dataVolumes, workload, loadBalancer, retire, drain, ready, bake, steps"`,
  );
});

test("refuses a billion laughs at once", () => {
  const laugh = (name: string, of: string): string =>
    `${name}: &${name} [${Array<string>(9).fill(of).join(", ")}]`;
  const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
  const text = names.map((name, at) => laugh(name, at === 0 ? "lol" : `*${names[at - 1] ?? ""}`)).join("\n");
  const started = performance.now();
  expect(refusal(text).split("\n").slice(-2)).toMatchInlineSnapshot(`
   [
     "cluster.yaml:7: g[4]: the alias *f is not allowed; write the value out, so that a change reaches one group only",
     "cluster.yaml: and 22 more",
   ]
  `);
  expect(performance.now() - started).toBeLessThan(2000);
});

test("refuses a second document", () => {
  expect(refusal(`${EXAMPLE}---\nname: other\n`)).toMatchInlineSnapshot(
    `"cluster.yaml:35: not valid YAML: more than one document (---) in the file; keep one"`,
  );
});

test("a text that calls itself YAML 1.1 has no other values", () => {
  const source = new YamlSource("%YAML 1.1\n---\na: no\nb: 1_000\n<<: { c: 1:30 }\n", "cluster.yaml");
  expect(source.value).toEqual({ a: "no", b: "1_000", "<<": { c: "1:30" } });
});

test("refuses tags", () => {
  expect(refusal(exampleWith(["name: demo", "name: !secret demo"]))).toMatchInlineSnapshot(
    `"cluster.yaml:4: not valid YAML: unresolved tag: "!secret""`,
  );
});

test("refuses a list or a map as a key", () => {
  expect(refusal("? [a, b]\n: c\n{ d: e }: f\n")).toMatchInlineSnapshot(`
   "cluster.yaml:1: a list or a map cannot be a key
   cluster.yaml:3: a list or a map cannot be a key"
  `);
});

test("refuses a list that is not closed", () => {
  expect(refusal(exampleWith(["ami-0aaa]", "ami-0aaa"]))).toMatchInlineSnapshot(
    `"cluster.yaml:16: not valid YAML: a list in [ ] must be sufficiently indented and end with a ]"`,
  );
});

test("refuses a map that is not closed", () => {
  expect(refusal(exampleWith(["one }", "one"]))).toMatchInlineSnapshot(
    `"cluster.yaml:35: not valid YAML: a map in { } must be sufficiently indented and end with a }"`,
  );
});

test("refuses a quote that is not closed", () => {
  expect(refusal(exampleWith(["name: demo", 'name: "demo']))).toMatchInlineSnapshot(
    `"cluster.yaml:35: not valid YAML: a text that begins with " does not end"`,
  );
});

test("refuses a second colon in a line", () => {
  expect(refusal(exampleWith(["name: demo", "name: demo: two"]))).toMatchInlineSnapshot(
    `"cluster.yaml:4: not valid YAML: a second colon in one line, or a line that is indented too far; quote a text that has a colon"`,
  );
});

test("refuses a key without a colon", () => {
  expect(refusal(exampleWith(["name: demo", "name demo"]))).toMatchInlineSnapshot(
    `"cluster.yaml:4: not valid YAML: a key and its colon must stand on one line"`,
  );
});

test("refuses keys of one map in different columns", () => {
  expect(refusal(exampleWith(["  vpcId:", " vpcId:"]))).toMatchInlineSnapshot(
    `"cluster.yaml:8: not valid YAML: all keys of a map must start at the same column"`,
  );
});

test("refuses a text that begins with a reserved character", () => {
  expect(refusal(exampleWith(["name: demo", "name: @demo"]))).toMatchInlineSnapshot(
    `"cluster.yaml:4: not valid YAML: plain value cannot start with reserved character @"`,
  );
});

test("refuses characters behind the sign of a block text, and quotes them", () => {
  expect(refusal(">.")).toBe(
    'cluster.yaml:1: not valid YAML: block scalar header includes extra characters: ">."',
  );
});

test.each([
  ["lists in lists", `a: ${"[".repeat(10_000)}${"]".repeat(10_000)}`],
  ["lists that never end", "[".repeat(150_000)],
  ["maps in maps", "{a: ".repeat(10_000)],
  ["items in items", `${"- ".repeat(10_000)}a`],
  ["keys in keys", `${"? ".repeat(10_000)}a`],
])("refuses %s beyond any need, without exhausting the stack", (_, text) => {
  expect(refusal(text)).toBe("cluster.yaml:1: nested more than 50 levels deep; a spec has five");
});

test("refuses deep indentation with the line where it gets too deep", () => {
  const text = Array.from({ length: 400 }, (_, level) => `${" ".repeat(level)}a:`).join("\n");
  expect(refusal(text)).toMatch(/^cluster\.yaml:5\d: nested more than 50 levels deep; a spec has five$/);
});

test("an error carries the name of the file", () => {
  expect(errorOf(() => new YamlSource("a: b: c", "prod.yaml"))).toMatch(/^prod\.yaml:1: not valid YAML: /);
});
