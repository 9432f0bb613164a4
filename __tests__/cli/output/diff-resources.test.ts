import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { diffResources } from "../../../cli/output/diff-resources.js";

const linesOf = (before: unknown, after: unknown): string[] =>
  diffResources("broker-0", stack(before), stack(after)).flatMap(({ lines }) => lines);

const stack = (body: unknown) => ({ resource: { aws_instance: { "broker-0-0": body } } });

describe("The difference of two stacks", () => {
  test("is nothing where they are equal, whatever the order of their keys", () => {
    expect(diffResources("cluster", {}, {})).toEqual([]);
    expect(linesOf({ ami: "a", tags: { x: "1", y: "2" } }, { tags: { y: "2", x: "1" }, ami: "a" })).toEqual(
      [],
    );
  });

  test("names an attribute by its path, what was and what will be", () => {
    expect(
      linesOf(
        { ami: "a", tags: { Name: "old", "kubernetes.io/role": "x" }, disks: [{ size: 1 }], same: [1] },
        { ami: "b", tags: { Name: "new", "kubernetes.io/role": "y" }, disks: [{ size: 2 }], same: [1] },
      ),
    ).toEqual([
      '- ami = "a"',
      '+ ami = "b"',
      "- disks[0].size = 1",
      "+ disks[0].size = 2",
      '- tags.Name = "old"',
      '+ tags.Name = "new"',
      '- tags["kubernetes.io/role"] = "x"',
      '+ tags["kubernetes.io/role"] = "y"',
    ]);
  });

  test("tells what came from what went, empty things and nulls included", () => {
    expect(linesOf({ a: [], b: null, c: 1 }, { a: {}, b: false, d: "" })).toEqual([
      "- a = []",
      "+ a = {}",
      "- b = null",
      "+ b = false",
      "- c = 1",
      '+ d = ""',
    ]);
    expect(linesOf({ a: "1" }, { a: 1 })).toEqual(['- a = "1"', "+ a = 1"]);
    expect(diffResources("x", {}, stack({}))).toEqual([
      { view: "x", address: "aws_instance.broker-0-0", lines: ["+ {}"] },
    ]);
  });

  test("of a text of several lines is its lines, in order, with nothing left out", () => {
    const texts = ["a\nhash: 1\nb\nname: x\n", "a\nhash: 2\nb\nc\nname: x\n"];
    expect(linesOf({ user_data: texts[0] }, { user_data: texts[1] })).toEqual([
      "- user_data: hash: 1",
      "+ user_data: hash: 2",
      "+ user_data: c",
    ]);
    expect(linesOf({ user_data: "x\ny" }, { user_data: "y\n\u202ex" })).toEqual([
      "- user_data: x",
      "+ user_data: \\u{202e}x",
    ]);
    expect(linesOf({ my_secret: "x\ny" }, { my_secret: "x\nz" })).toEqual([
      "- my_secret = (sensitive value)",
      "+ my_secret = (sensitive value)",
    ]);
  });

  test("of a text can be applied: what stays, what goes and what comes are the old and the new text", () => {
    const text = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 2, maxLength: 9 });
    fc.assert(
      fc.property(text, text, (old, now) => {
        const lines = linesOf({ t: old.join("\n") }, { t: now.join("\n") });
        const of = (sign: string) =>
          lines.flatMap((line) => (line.startsWith(`${sign} t: `) ? [line.slice(5)] : []));
        const kept = (from: readonly string[], without: readonly string[]) =>
          [...new Set(from)].map((each) => [each, count(from, each) - count(without, each)]).sort();
        const all = [...old, ...now, "a", "b", "c"];
        const add = (from: readonly string[]) => [...from, "a", "b", "c"];
        expect(kept(add(old), of("-"))).toEqual(kept(add(now), of("+")));
        expect(lines.length).toBeLessThan(all.length);
        expect(lines.length === 0).toBe(old.join() === now.join());
      }),
    );
  });

  test("does not take a dot in a key for a step", () => {
    expect(linesOf({ a: { b: 1 } }, { "a.b": 1 })).toEqual(['+ ["a.b"] = 1', "- a.b = 1"]);
  });

  test("lists items of a list by number and resources by address", () => {
    const long = Array.from({ length: 11 }, (_, index) => `x${String(index)}`);
    expect(linesOf({ after: long.slice(0, 9) }, { after: long })).toEqual([
      '+ after[9] = "x9"',
      '+ after[10] = "x10"',
    ]);
    const resource = { z: { a: { x: 1 } }, a: { z: { x: 1 }, b: { x: 1 } } };
    expect(diffResources("v", {}, { resource }).map(({ address }) => address)).toEqual(["a.b", "a.z", "z.a"]);
  });

  test("leaves out what cdktf says of a resource and how a view protects it, and nothing called the same below", () => {
    const of = (value: string) => ({
      "//": { metadata: { path: value } },
      lifecycle: { prevent_destroy: value },
      tags: { lifecycle: value, "//": value },
    });
    expect(linesOf(of("old"), of("new"))).toEqual([
      '- tags.lifecycle = "old"',
      '+ tags.lifecycle = "new"',
      '- tags["//"] = "old"',
      '+ tags["//"] = "new"',
    ]);
  });

  test("has what is no resource in the cluster view alone, our own variables left out", () => {
    const of = (value: string) => ({
      "//": { metadata: value },
      terraform: { required_version: value, backend: { local: { path: value } } },
      provider: { aws: [{ region: value }] },
      data: { aws_ami: { newest: { owner: value } } },
      output: { url: { value } },
      variable: { rollout_view: { default: value }, rollout_base: {}, own: { default: value } },
      locals: { x: value },
    });
    expect(diffResources("broker-0", of("a"), of("b"))).toEqual([]);
    expect(
      diffResources("cluster", of("a"), of("b")).map(({ address, lines }) => [address, ...lines]),
    ).toEqual([
      ["data.aws_ami.newest", '- owner = "a"', '+ owner = "b"'],
      ["locals.x", '- "a"', '+ "b"'],
      ["output.url", '- value = "a"', '+ value = "b"'],
      ["provider.aws", '- [0].region = "a"', '+ [0].region = "b"'],
      ["terraform.backend", '- local.path = "a"', '+ local.path = "b"'],
      ["terraform.required_version", '- "a"', '+ "b"'],
      ["variable.own", '- default = "a"', '+ default = "b"'],
    ]);
  });

  test("never shows what a name says to be secret, and says that it differs", () => {
    const names = [
      "password",
      "db_password",
      "secret_string",
      "auth_token",
      "private_key",
      "apiKey",
      "access_key",
    ];
    for (const name of names) {
      expect(linesOf({ [name]: "hunter2" }, { [name]: "hunter3" })).toEqual([
        `- ${name} = (sensitive value)`,
        `+ ${name} = (sensitive value)`,
      ]);
      expect(linesOf({}, { x: { [name]: { nested: ["hunter2"] } } })).toEqual([
        `+ x.${name}.nested[0] = (sensitive value)`,
      ]);
    }
    expect(linesOf({ password: "same" }, { password: "same" })).toEqual([]);
  });

  test("shows where a secret is taken from, and what is only called alike", () => {
    expect(
      linesOf({}, { password: "${var.db_password}", metadata_options: { http_tokens: "required" } }),
    ).toEqual(['+ metadata_options.http_tokens = "required"', '+ password = "${var.db_password}"']);
    expect(linesOf({}, { password: "x${var.salt}" })).toEqual(["+ password = (sensitive value)"]);
  });

  test("stays on its lines, with all that cannot be seen by its code", () => {
    const [difference] = diffResources(
      "x",
      {},
      {
        resource: { "t\n": { "n\u202e": { "k\nk": "one\ntwo\u200b\u2028  three", "\u001b": 1 } } },
      },
    );
    expect(difference).toEqual({
      view: "x",
      address: "t\\u{a}.n\\u{202e}",
      lines: ['+ ["\\u001b"] = 1', '+ ["k\\nk"] = "one\\ntwo\\u{200b}\\u{2028}  three"'],
    });
  });

  test("is empty for equal stacks alone, and turned round where they are exchanged", () => {
    const body = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.jsonValue({ maxDepth: 2 }));
    fc.assert(
      fc.property(body, body, (one, two) => {
        const plain = (value: unknown): string => JSON.stringify(sorted(value));
        expect(linesOf(one, two).length === 0).toBe(plain(one) === plain(two));
        const turned = (lines: string[]): string[] =>
          lines.map((line) => (line.startsWith("-") ? "+" : "-") + line.slice(1)).sort();
        expect(turned(linesOf(two, one))).toEqual(linesOf(one, two).sort());
      }),
    );
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => sorted(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

const count = (list: readonly string[], each: string): number =>
  list.filter((other) => other === each).length;
