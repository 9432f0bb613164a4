import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseAssignments, setImages } from "../../../cluster/yaml/edit.js";
import { errorOf, EXAMPLE, exampleWith, LOCAL_EXAMPLE, specOf } from "./example.js";

describe("setImages", () => {
  test("changes one image of the example and not a byte elsewhere", () => {
    const edited = setImages(EXAMPLE, "cluster.yaml", new Map([["broker-1", "ami-0bbb"]]));
    const lines = EXAMPLE.split("\n");
    expect(edited).toBe(lines.with(23, "    images: [ami-0aaa, ami-0bbb, ami-0aaa]").join("\n"));
  });

  test("changes several images at once, also where the new ones are longer or shorter", () => {
    const changes = new Map([
      ["broker-2", "ami-0123456789abcdef0"],
      ["consul-server-0", "ami-0"],
      ["broker-0", "ami-1"],
    ]);
    const edited = setImages(EXAMPLE, "cluster.yaml", changes);
    expect(edited.split("\n")[14]).toBe("    images: [ami-0, ami-0aaa, ami-0aaa]");
    expect(edited.split("\n")[23]).toBe("    images: [ami-1, ami-0aaa, ami-0123456789abcdef0]");
  });

  test("returns the same text for the image that is there", () => {
    expect(setImages(EXAMPLE, "cluster.yaml", new Map([["broker-1", "ami-0aaa"]]))).toBe(EXAMPLE);
  });

  test("returns the same text for no changes", () => {
    expect(setImages(EXAMPLE, "cluster.yaml", new Map())).toBe(EXAMPLE);
  });

  test.each([
    ["plain", "ami-0aaa", "ami-0bbb"],
    ["single quotes", "'ami-0aaa'", "'ami-0bbb'"],
    ["double quotes", '"ami-0aaa"', '"ami-0bbb"'],
    ["double quotes with escapes", '"ami\\x2d0aaa"', '"ami-0bbb"'],
    ["an anchor", "&first ami-0aaa", "&first ami-0bbb"],
    ["a tag", "!!str ami-0aaa", "!!str ami-0bbb"],
    ["a line break before it", "\n      ami-0aaa\n      ", "\n      ami-0bbb\n      "],
    [
      "a comment beside it",
      "ami-0aaa # ami-0aaa was the first\n     ",
      "ami-0bbb # ami-0aaa was the first\n     ",
    ],
  ])("keeps %s in a flow array", (_, old, expected) => {
    const text = exampleWith(["images: [ami-0aaa,", `images: [${old},`]);
    const edited = setImages(text, "cluster.yaml", new Map([["consul-server-0", "ami-0bbb"]]));
    expect(edited).toBe(exampleWith(["images: [ami-0aaa,", `images: [${expected},`]));
  });

  test.each([
    ["plain", "ami-0aaa", "ami-0bbb"],
    ["quotes", "'ami-0aaa'", "'ami-0bbb'"],
    ["spaces at the end", "ami-0aaa  \t ", "ami-0bbb  \t "],
    ["a comment", "ami-0aaa   # the first", "ami-0bbb   # the first"],
    ["a literal block", "|-\n        ami-0aaa", "|-\n        ami-0bbb"],
    ["a folded block", ">-  # why not\n        ami-0aaa\n\n", ">-  # why not\n        ami-0bbb\n\n"],
    ["a line of its own", "\n        ami-0aaa", "\n        ami-0bbb"],
  ])("keeps %s in a block array", (_, old, expected) => {
    const images = (first: string): [string, string] => [
      "images: [ami-0aaa, ami-0aaa, ami-0aaa]",
      `images:\n      - ${first}\n      - ami-0aaa\n      - ami-0aaa`,
    ];
    const edited = setImages(
      exampleWith(images(old)),
      "cluster.yaml",
      new Map([["consul-server-0", "ami-0bbb"]]),
    );
    expect(edited).toBe(exampleWith(images(expected)));
  });

  test.each([
    ["CRLF", EXAMPLE.replaceAll("\n", "\r\n")],
    ["a byte order mark", `\uFEFF${EXAMPLE}`],
    ["no newline at the end", EXAMPLE.trimEnd()],
    ["empty lines at the end", `${EXAMPLE}\n\n  \n`],
    ["a document's start and end", `---\n${EXAMPLE}...\n# after the end\n`],
    ["quoted keys", EXAMPLE.replace("  broker:", '  "broker":').replaceAll("images:", "'images':")],
    ["JSON", JSON.stringify(specOf(EXAMPLE), null, 2)],
    ["characters beyond the 16-bit ones", `# \u{1F680} ä\n${EXAMPLE}`],
  ])("keeps %s", (_, text) => {
    const edited = setImages(text, "cluster.yaml", new Map([["nomad-server-2", "ami-0bbb"]]));
    const at = edited.indexOf("ami-0bbb");
    expect(edited.slice(0, at) + "ami-0aaa" + edited.slice(at + "ami-0bbb".length)).toBe(text);
    expect(specOf(edited).pools["nomad-server"].images).toEqual(["ami-0aaa", "ami-0aaa", "ami-0bbb"]);
  });

  test.each(["2024", "1.0", "0x1f", "1e3", "true", "null", "No.1", "1_000", "2026-01-01"])(
    "writes %s so that it is read as a text",
    (image) => {
      const edited = setImages(LOCAL_EXAMPLE, "cluster.yaml", new Map([["broker-0", image]]));
      expect(specOf(edited).pools["broker"]?.images).toEqual([image, "ami-0aaa", "ami-0aaa"]);
    },
  );

  test("whatever group and image, only that image's bytes change", () => {
    fc.assert(
      fc.property(anyLayout, anyGroup, anyImage, ({ newline, styles, bom }, [pool, index], image) => {
        const write = (images: Images): string => bom + layOut(images, styles).replaceAll("\n", newline);
        const after = structuredClone(IMAGES);
        after[pool][index] = image;
        const edited = setImages(
          write(IMAGES),
          "cluster.yaml",
          new Map([[`${pool}-${String(index)}`, image]]),
        );
        expect(edited).toBe(write(after));
      }),
      { numRuns: 150 },
    );
  });

  test("an image set and set back gives the text that was", () => {
    fc.assert(
      fc.property(anyGroup, anyImage, ([pool, index], image) => {
        const set = (text: string, to: string): string =>
          setImages(text, "cluster.yaml", new Map([[`${pool}-${String(index)}`, to]]));
        expect(set(set(EXAMPLE, image), "ami-0aaa")).toBe(EXAMPLE);
      }),
      { numRuns: 20 },
    );
  });

  test("refuses an unknown group", () => {
    expect(errorOf(() => setImages(EXAMPLE, "cluster.yaml", new Map([["broker-3", "ami-0bbb"]])))).toBe(
      'no group "broker-3" in pool broker (0, 1, 2); did you mean broker-2?',
    );
  });

  test("refuses an unknown pool", () => {
    expect(errorOf(() => setImages(EXAMPLE, "cluster.yaml", new Map([["brokr-0", "ami-0bbb"]])))).toBe(
      'no pool "brokr"; did you mean broker? pools: consul-server, nomad-server, name-server, broker, each with the groups 0, 1 and 2',
    );
  });

  test("refuses an image that is none on aws", () => {
    const changes = new Map([["broker-1", "v1.2"]]);
    expect(errorOf(() => setImages(EXAMPLE, "cluster.yaml", changes))).toMatchInlineSnapshot(
      `"cluster.yaml:24: pools.broker.images[1]: got "v1.2"; expected the id of a machine image, ami- and hexadecimal digits, such as ami-0aaa"`,
    );
  });

  test.each([
    "",
    " ",
    "ami 0aaa",
    "ami-0aaa, ami-0bbb",
    "a]",
    "'",
    '"',
    "a\nb",
    "*x",
    "# x",
    "a: b",
    "-",
    "..",
    "ü",
  ])("refuses %j as an image, in flow arrays, block arrays and block scalars", (image) => {
    const block = "images:\n      - |-\n        ami-0aaa\n      - ami-0aaa\n      - ami-0aaa";
    for (const text of [
      LOCAL_EXAMPLE,
      LOCAL_EXAMPLE.replace("images: [ami-0aaa, ami-0aaa, ami-0aaa]", block),
    ]) {
      expect(errorOf(() => setImages(text, "cluster.yaml", new Map([["consul-server-0", image]])))).toMatch(
        `: pools.consul-server.images[0]: got ${JSON.stringify(image)}; expected the id of an image: at most 128 letters, digits, dots, underscores and hyphens, such as ami-0aaa`,
      );
    }
  });

  test("refuses a spec that is not valid before the edit", () => {
    const text = exampleWith(["hosts: [3, 3, 3]", "hosts: [3, 3]"]);
    expect(
      errorOf(() => setImages(text, "prod.yaml", new Map([["broker-0", "ami-0bbb"]]))),
    ).toMatchInlineSnapshot(
      `"prod.yaml:26: pools.broker.hosts: got [3,3]; expected an array of exactly three, one number of hosts for each of the groups 0, 1 and 2"`,
    );
  });
});

describe("parseAssignments", () => {
  test("reads groups and images", () => {
    expect(parseAssignments(["broker-0=ami-0bbb", "broker-1=a=b"])).toEqual(
      new Map([
        ["broker-0", "ami-0bbb"],
        ["broker-1", "a=b"],
      ]),
    );
  });

  test("refuses all that are no assignments, and a group that is named twice", () => {
    const args = ["broker-0", "broker-1=", "=ami-0bbb", "", "broker-2=ami-1", "broker-2=ami-2"];
    expect(errorOf(() => parseAssignments(args))).toMatchInlineSnapshot(`
     "no assignment: "broker-0"; expected GROUP=IMAGE, such as broker-0=ami-0bbb
     no assignment: "broker-1="; expected GROUP=IMAGE, such as broker-0=ami-0bbb
     no assignment: "=ami-0bbb"; expected GROUP=IMAGE, such as broker-0=ami-0bbb
     no assignment: ""; expected GROUP=IMAGE, such as broker-0=ami-0bbb
     broker-2 is set twice, to ami-1 and to ami-2; keep one"
    `);
  });

  test("refuses a group that is named twice with the same image", () => {
    expect(errorOf(() => parseAssignments(["broker-2=ami-1", "broker-2=ami-1"]))).toMatchInlineSnapshot(
      `"broker-2 is set twice, to ami-1 and to ami-1; keep one"`,
    );
  });

  test("refuses to set nothing", () => {
    expect(errorOf(() => parseAssignments([]))).toMatchInlineSnapshot(
      `"nothing to set; expected GROUP=IMAGE, such as broker-0=ami-0bbb"`,
    );
  });

  test("a wrong assignment is a wrong usage", () => {
    expect(() => parseAssignments(["broker-0"])).toThrow(expect.objectContaining({ exitCode: 2 }));
  });
});

type Images = Record<(typeof POOLS)[number], [string, string, string]>;

interface Style {
  readonly quote: "" | "'" | '"';
  readonly array: "flow" | "block" | "long";
  readonly comment: "" | " # ami-0aaa" | "\t#: [x, 'y'";
}

const POOLS = ["consul-server", "nomad-server", "broker"] as const;

const IMAGES: Images = {
  "consul-server": ["ami-0aaa", "ami-0aaa", "ami-0aaa"],
  "nomad-server": ["ami-0aaa", "ami-0ccc", "ami-0aaa"],
  broker: ["ami-0ccc", "ami-0aaa", "ami-0aaa"],
};

const anyGroup = fc.tuple(fc.constantFrom(...POOLS), fc.constantFrom<0 | 1 | 2>(0, 1, 2));

const anyImage = fc.stringMatching(/^ami-[0-9a-f]{1,17}$/);

const anyStyle: fc.Arbitrary<Style> = fc.record({
  quote: fc.constantFrom("", "'", '"'),
  array: fc.constantFrom("flow", "block", "long"),
  comment: fc.constantFrom("", " # ami-0aaa", "\t#: [x, 'y'"),
});

const anyLayout = fc.record({
  newline: fc.constantFrom("\n", "\r\n"),
  bom: fc.constantFrom("", "\uFEFF"),
  styles: fc.tuple(anyStyle, anyStyle, anyStyle),
});

/** A spec whose pools are written in these styles. */
function layOut(images: Images, styles: readonly [Style, Style, Style]): string {
  const pools = POOLS.map((pool, at) => {
    const { quote, array, comment } = styles[at] ?? styles[0];
    const [a, b, c] = images[pool].map((image) => quote + image + quote);
    const list = {
      flow: `[${a ?? ""}, ${b ?? ""} ,${c ?? ""} ]${comment}`,
      block: `${comment}\n    - ${a ?? ""}${comment}\n    -   ${b ?? ""}  \n    - ${c ?? ""}`,
      long: `[${comment}\n      ${a ?? ""},${comment}\n      ${b ?? ""}\n      , ${c ?? ""},\n    ]`,
    }[array];
    return `  ${pool}:\n    images: ${list}\n    instanceTypes: [t3.small, t3.small, t3.small]\n`;
  });
  return `name: demo\nplatform: local\nbackend: { type: local, path: x }\npools:\n${pools.join("")}`;
}
