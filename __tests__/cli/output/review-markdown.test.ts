import { describe, expect, test } from "@jest/globals";
import { formatReviewMarkdown } from "../../../cli/output/review-markdown.js";
import type { Review } from "../../../rollout/review/review.js";
import { allNodes, readMarkdown, textOutsideCode } from "./read-markdown.js";
import { bigReview } from "./review-cases.js";

const LIMIT = 60_000;
const bytes = (text: string): number => Buffer.byteLength(text);

describe("A review as a comment", () => {
  test("has its marker on the first line, then the verdict, then the table", () => {
    expect(
      formatReviewMarkdown(bigReview({ pools: 1 }))
        .split("\n")
        .slice(0, 9),
    ).toMatchInlineSnapshot(`
     [
       "<!-- rollout-review cluster=demo -->",
       "<!-- rollout-review changed=true -->",
       "### ✔ demo: accepted, 3 groups change, one after another: pool-a0-0 (ami-0aaa -&gt; ami-0bbb), pool-a0-1 (ami-0aaa -&gt; ami-0bbb), pool-a0-2 (ami-0aaa -&gt; ami-0bbb), 3 machines replaced",
       "",
       "| pool | group 0 | group 1 | group 2 |",
       "|---|---|---|---|",
       "| consul-server | \`ami-0aaa\` | \`ami-0aaa\` | \`ami-0aaa\` |",
       "| nomad-server | \`ami-0aaa\` | \`ami-0aaa\` | \`ami-0aaa\` |",
       "| pool-a0 | **\`ami-0aaa\` -&gt; \`ami-0bbb\`** | **\`ami-0aaa\` -&gt; \`ami-0bbb\`** | **\`ami-0aaa\` -&gt; \`ami-0bbb\`** |",
     ]
    `);
  });

  test("has each of several groups folded, one alone open", () => {
    const several = formatReviewMarkdown(bigReview({ pools: 1 }));
    expect(several.match(/<details><summary>.*<\/summary>/g)).toEqual([
      "<details><summary>pool-a0-0: ami-0aaa -&gt; ami-0bbb</summary>",
      "<details><summary>pool-a0-1: ami-0aaa -&gt; ami-0bbb</summary>",
      "<details><summary>pool-a0-2: ami-0aaa -&gt; ami-0bbb</summary>",
      "<details><summary>3 synthesized resources differ</summary>",
    ]);
    const whole = bigReview({ pools: 1 });
    const alone = formatReviewMarkdown({ ...whole, groups: whole.groups.slice(0, 1), differences: [] });
    expect(alone).not.toContain("<details>");
    expect(alone).toContain(
      "\n**pool-a0-0**: ami-0aaa -&gt; ami-0bbb\n\n- impact: 1 of 3 machines of pool-a0; ",
    );
  });

  test("says of a rejected change why it is, and that it is not going to happen", () => {
    const whole = bigReview({ pools: 1 });
    const violations = [{ rule: "one-group", message: "3 groups are pending", remedy: "set two back" }];
    const rejected = formatReviewMarkdown({ ...whole, verdict: "rejected", violations });
    expect(rejected.split("\n").slice(3, 10)).toEqual([
      "",
      "> [!CAUTION]",
      "> **one-group**: 3 groups are pending; set two back",
      "",
      "Synth refuses this, so nothing is deployed as it is. What it asks for:",
      "",
      "| pool | group 0 | group 1 | group 2 |",
    ]);
    expect(formatReviewMarkdown(whole)).not.toContain("Synth refuses");
  });

  test("says by a marker of its own whether there is anything to comment on", () => {
    const markers = [0, 1].map(
      (changed) => formatReviewMarkdown(bigReview({ pools: 1, changed })).split("\n")[1],
    );
    expect(markers).toEqual([
      "<!-- rollout-review changed=false -->",
      "<!-- rollout-review changed=true -->",
    ]);
  });

  test("has settings before groups, equal resources as one, and commits and the next command at its end", async () => {
    const lines = ["- x", "+ y"];
    const review = {
      ...bigReview({ pools: 1 }),
      settings: [
        { path: "protection", before: "on", after: "off", caution: true },
        { path: "aws.keyName", before: null, after: "ops", caution: false },
      ],
      differences: ["a", "b", "c"].map((name) => ({ view: "cluster", address: `x_y.${name}`, lines })),
      commits: { base: "0123456789ab", head: "ba9876543210", isCommitted: false },
    };
    const text = formatReviewMarkdown(review);
    expect(text).toContain(
      "\n\n**how groups are rolled**\n\n- **CAUTION** protection: on -&gt; off\n- aws.keyName: not set -&gt; ops\n\n<details>",
    );
    expect(text).toContain(
      "<summary>3 synthesized resources differ</summary>\n\n`x_y.a`, `x_y.b`, `x_y.c` (view cluster, each by its own name)\n\n```diff\n- x\n+ y\n```\n\n</details>",
    );
    expect(
      text
        .replace(/[0-9a-f]{12}<\/sub>/, "HASH</sub>")
        .split("\n")
        .slice(-4),
    ).toMatchInlineSnapshot(`
     [
       "**next**: \`npx rollout deploy pool-a0-0\`",
       "",
       "<sub>compared with: \`git:main\` (for a review, not the state) · base: \`0123456789ab\` · head: \`ba9876543210\`, with changes that are not committed · review HASH</sub>",
       "",
     ]
    `);
    const hashOf = (of: Review) => /review ([0-9a-f]{12})<\/sub>/.exec(formatReviewMarkdown(of))?.[1];
    expect(hashOf({ ...review, commits: { base: null, head: null, isCommitted: true } })).toBe(
      hashOf(review),
    );
    expect(hashOf({ ...review, settings: [] })).not.toBe(hashOf(review));
    expect(allNodes(await readMarkdown(text)).filter(({ type }) => type === "code")).toHaveLength(1);
  });

  test("keeps its marker whatever changes", () => {
    const [first] = formatReviewMarkdown(bigReview({ pools: 1, changed: 0 })).split("\n");
    expect(first).toBe("<!-- rollout-review cluster=demo -->");
  });

  test("is read as one table, details that end, and code", async () => {
    const root = await readMarkdown(formatReviewMarkdown(bigReview({ pools: 2 })));
    const types = allNodes(root).map(({ type }) => type);
    expect(types.filter((type) => type === "table")).toHaveLength(1);
    expect(types.filter((type) => type === "tableRow")).toHaveLength(5);
    expect(types.filter((type) => type === "code")).toHaveLength(6);
    const tags = allNodes(root).flatMap(({ type, value }) =>
      type === "html" ? (value?.match(/<\/?details>/g) ?? []) : [],
    );
    expect(tags).toEqual(Array.from({ length: 7 }, () => ["<details>", "</details>"]).flat());
  });
});

describe("A comment of a huge cluster", () => {
  test.each([
    { pools: 24, hosts: 1 },
    { pools: 24, hosts: 30, changed: 1 },
    { pools: 24, hosts: 30, image: "x".repeat(128) },
    { pools: 300, hosts: 1 },
    { pools: 300, hosts: 1, image: "x".repeat(128) },
    { pools: 300, hosts: 1, changed: 2, image: "x".repeat(128) },
  ])("has under 60,000 bytes, with its verdict and what changes in the table: %j", async (size) => {
    const review = bigReview(size);
    const text = formatReviewMarkdown(review);
    expect(bytes(text)).toBeLessThan(LIMIT);
    expect(text).toContain(`\n### ✔ demo: accepted, `);
    const table = allNodes(await readMarkdown(text)).find(({ type }) => type === "table");
    const rows = table?.children?.length ?? 0;
    if (size.pools <= 24) expect(rows).toBe(size.pools + 3);
    const changing = review.pools.filter(({ cells }) => cells.some(({ state }) => state === "changes"));
    const shown = changing.filter(({ name }) => text.includes(`\n| ${name} | **`));
    expect(rows === size.pools + 3 || shown.length === changing.length || rows - 1 === shown.length).toBe(
      true,
    );
    if (rows < size.pools + 3) {
      expect(text).toContain(`And ${String(size.pools + 3 - rows)} more pools; see all by: rollout review`);
    }
    expect(text.match(/<details>/g)?.length ?? 0).toBe(text.match(/<\/details>/g)?.length ?? 0);
  });

  test("drops from the end, differences before groups, and says which and how many", () => {
    const some = formatReviewMarkdown(bigReview({ pools: 24, hosts: 30, changed: 1 }));
    const shown = some.match(/^```diff$/gm)?.length ?? 0;
    expect(shown).toBe(90);
    const more = formatReviewMarkdown(bigReview({ pools: 24, hosts: 300, changed: 1 }));
    const kept = more.match(/^```diff$/gm)?.length ?? 0;
    expect(kept).toBeGreaterThan(300);
    expect(more).toContain(
      `<summary>900 synthesized resources differ, ${String(kept)} of them shown</summary>`,
    );
    const first = `pool-a0-${String(Math.floor(kept / 300))}-${String(kept % 300)}`;
    expect(more).toContain(
      `Dropped, since a comment has no room (${String(900 - kept)} parts): what differs in \`terraform_data.${first}\`, `,
    );
    expect(more).toContain(`and ${String(900 - kept - 8)} more. See all by: \`rollout review\``);
    expect(more).toContain("**frozen**: ");

    const groups = formatReviewMarkdown(bigReview({ pools: 80 }));
    expect(groups).toMatch(
      /the explanation of pool-\w+-\d, .* and \d+ more; notes: frozen; what differs in /,
    );
    expect(groups).not.toContain("```diff");
  });

  test("is full to the last part that fits, counted in bytes and not in characters", () => {
    const base = bigReview({ pools: 1 });
    const filled = (count: number, letter: string): Review => ({
      ...base,
      differences: Array.from({ length: count }, (_, index) => ({
        view: "cluster",
        address: `x.y${String(index)}`,
        lines: [`+ ${letter.repeat(500)}`, `+ ${String(1000 + index)}`],
      })),
    });
    for (const letter of ["a", "é", "漢", "😀"]) {
      const whole = Array.from({ length: 150 }, (_, count) => formatReviewMarkdown(filled(count, letter)));
      expect(whole.filter((text) => bytes(text) >= LIMIT)).toEqual([]);
      const most = Math.max(...whole.map(bytes));
      expect(most).toBeGreaterThan(LIMIT - 6_000 - 600 * bytes(letter));
      const fits = whole.findIndex((text) => text.includes("Dropped, "));
      expect(fits).toBeGreaterThan(20);
      expect(whole[fits]?.includes(`(1 part): what differs in x.y${String(fits - 1)}.`)).toBe(true);
    }
  });

  test("leaves exactly the room for the list of what was dropped", () => {
    const base = { ...bigReview({ pools: 1, changed: 0 }), deployed: "d".repeat(90) };
    const differences = Array.from({ length: 3000 }, (_, count) => ({
      view: "cluster",
      address: `x.y${String(1000 + count)}`,
      lines: [`+ ${String(1000 + count)}`],
    }));
    const text = formatReviewMarkdown({ ...base, differences });
    const rest = text
      .replace(/^Dropped, .*\n\n/m, "")
      .replace(/<details><summary>3000 .*\n\n/, "")
      .replace("</details>\n\n", "");
    expect(bytes(rest)).toBeLessThanOrEqual(LIMIT - 6_000);
    expect(bytes(rest)).toBeGreaterThan(LIMIT - 6_000 - 50);
  });

  test("has room for the names of what was dropped, however long they become where they are escaped", () => {
    const base = bigReview({ pools: 1 });
    for (const letter of ["|", "\u202e", "`😀"]) {
      const most = Array.from({ length: 3 }, (_, index) => {
        const text = `+ ${"x".repeat(1_000 + 100 * index)}`;
        const differences = Array.from({ length: 100 }, (_each, count) => ({
          view: "cluster",
          address: `x.y${String(count)}["${letter.repeat(200)}"]`,
          lines: [text, `+ ${String(count)}`],
        }));
        return bytes(formatReviewMarkdown({ ...base, differences }));
      });
      expect(most.filter((size) => size >= LIMIT)).toEqual([]);
    }
  });

  test("keeps what is changed of a check that is very long, and drops settings last", () => {
    const base = bigReview({ pools: 24, hosts: 30 });
    const setting = (index: number) => ({
      path: `pools.a.ready.checks.c${String(index)}`,
      before: "x".repeat(5_000),
      after: "y".repeat(5_000),
      caution: true,
    });
    const few = formatReviewMarkdown({
      ...base,
      settings: Array.from({ length: 20 }, (_, at) => setting(at)),
    });
    expect(few.match(/^- \*\*CAUTION\*\* /gm)).toHaveLength(20);
    const many = formatReviewMarkdown({
      ...base,
      settings: Array.from({ length: 90 }, (_, at) => setting(at)),
    });
    expect(bytes(many)).toBeLessThan(LIMIT);
    expect(many).toMatch(/ parts\): the settings .*pools\.a\.ready\.checks\.c\d\d.*; the explanation of /);
  });

  test("drops a part that is too long by itself, and says how many violations there are no room for", () => {
    const base = bigReview({ pools: 1 });
    const long = { view: "cluster", address: `x.${"y".repeat(500)}`, lines: ["+ ".padEnd(LIMIT, "x")] };
    const text = formatReviewMarkdown({ ...base, differences: [long] });
    expect(bytes(text)).toBeLessThan(LIMIT);
    expect(text).toContain("(1 part): what differs in `x.yyy");
    const violations = Array.from({ length: 500 }, () => ({
      rule: "one-group",
      message: "漢".repeat(100),
      remedy: "r",
    }));
    const rejected = formatReviewMarkdown({ ...base, verdict: "rejected", violations });
    expect(bytes(rejected)).toBeLessThan(LIMIT);
    const kept = rejected.match(/^> \[!CAUTION\]$/gm)?.length ?? 0;
    expect(kept).toBeGreaterThan(50);
    expect(rejected).toContain(
      `And ${String(500 - kept)} more violations; see all by: rollout review\n\nSynth refuses this, so nothing is deployed as it is. What it asks for:\n\n| pool |`,
    );
  });
});

describe("A comment with hostile texts", () => {
  const evil =
    "</details>--><script>@all #12 GH-1 http://x.y www.x.y deadbeef0 a/b#1\n\n# x `y` ```` | [z](w) \u202e\u200b";
  const base = bigReview({ pools: 1 });
  const spoiled: Review = {
    ...base,
    cluster: evil,
    headline: evil,
    verdict: "rejected",
    violations: [{ rule: "one-group", message: evil, remedy: evil }],
    groups: base.groups.map((group) => ({
      ...group,
      name: evil,
      change: evil,
      alsoReplaced: [evil],
      steps: [evil],
    })),
    inFlight: [{ name: evil, reasons: [evil] }],
    frozen: [evil],
    created: [{ name: evil, image: evil, machines: 1 }],
    gone: [evil],
    shared: [evil],
    settings: [true, false].map((caution) => ({ path: evil, before: evil, after: evil, caution })),
    differs: [{ group: evil, keys: [evil] }],
    next: evil,
    commits: { base: evil, head: evil, isCommitted: false },
    pools: [
      {
        name: evil,
        cells: (["frozen", "changes", "new"] as const).map((state) => ({
          deployed: evil,
          desired: evil,
          change: state === "changes" ? evil : null,
          state,
        })),
      },
    ],
    differences: [{ view: evil, address: evil, lines: ["+ x = ````", "- ```", "+ </details>"] }],
    deployed: evil,
  };

  test.each([
    ["several groups", spoiled],
    ["one group", { ...spoiled, groups: spoiled.groups.slice(0, 1) }],
  ])("has nothing of them outside code: %s", async (_, review) => {
    const text = formatReviewMarkdown(review);
    expect(text.split("\n")[0]).toMatch(/^<!-- rollout-review cluster=[a-z0-9-]* -->$/);
    const root = await readMarkdown(text);
    const nodes = allNodes(root);
    const tags = nodes.flatMap(({ type, value }) =>
      type === "html" ? (value?.match(/<[^>]*>/g) ?? []) : [],
    );
    expect(new Set(tags.filter((tag) => !tag.startsWith("<!--")))).toEqual(
      new Set(["<details>", "</details>", "<summary>", "</summary>", "<code>", "</code>", "<sub>", "</sub>"]),
    );
    expect(nodes.filter(({ type }) => type === "link" || type === "image")).toEqual([]);
    expect(nodes.filter(({ type }) => type === "heading")).toHaveLength(1);
    expect(nodes.filter(({ type }) => type === "tableRow")).toHaveLength(2);
    expect(nodes.filter(({ type }) => type === "tableCell")).toHaveLength(8);
    expect(nodes.filter(({ type }) => type === "code").map(({ value }) => value)).toEqual([
      "+ x = ````\n- ```\n+ </details>",
    ]);
    expect(textOutsideCode(root)).not.toMatch(/@all|#12|GH-1|www|deadbeef0|script/);
    expect(text).not.toMatch(/[\u202e\u200b]/);
    const summaries = text.match(/<summary>.*/g) ?? [];
    expect(summaries.filter((line) => /@all|`|\[z/.test(line))).toEqual([]);
  });
});
