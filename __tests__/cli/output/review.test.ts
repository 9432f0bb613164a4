import { describe, expect, test } from "@jest/globals";
import { formatReview } from "../../../cli/output/review.js";
import { wrapLine } from "../../../cli/output/wrap.js";
import { bigReview } from "./review-cases.js";

const tooWide = (text: string): string[] =>
  text.split("\n").filter((line) => line.length > 80 && line.trim().includes(" "));

describe("A review in a terminal", () => {
  test("says the verdict, the table, the order, what stays, what differs and with what it was compared", () => {
    const review = bigReview({ pools: 1 });
    const [group] = review.groups;
    expect(
      formatReview({ ...review, groups: group ? [group] : [], differences: review.differences.slice(0, 1) }),
    ).toMatchInlineSnapshot(`
     "✔ demo: accepted, 3 groups change, one after another: pool-a0-0 (ami-0aaa ->
       ami-0bbb), pool-a0-1 (ami-0aaa -> ami-0bbb), pool-a0-2 (ami-0aaa -> ami-0bbb),
       3 machines replaced

     POOL           0                     1                     2
     consul-server  ami-0aaa              ami-0aaa              ami-0aaa
     nomad-server   ami-0aaa              ami-0aaa              ami-0aaa
     pool-a0        ami-0aaa -> ami-0bbb  ami-0aaa -> ami-0bbb  ami-0aaa -> ami-0bbb

     pool-a0-0: ami-0aaa -> ami-0bbb
       impact: 1 of 3 machines of pool-a0; their work moves; drain up to 1h, bake 30s
       also replaced: 1 config_consul, so that the new machine knows the Consul
         servers
       1. leave: all machines of the group ineligible, drained in Nomad, out of
         Consul
       2. 1 old machine destroyed, then 1 new from ami-0bbb
       3. told of the Consul servers
       4. ready: the group is whole again, or everything stops here
       5. the new revision recorded

     frozen: 6 groups stay as they are: consul-server-0 to -2, nomad-server-0 to -2

     1 synthesized resource differs:
     terraform_data.pool-a0-0-0 (view pool-a0-0)
       - input.image = "ami-0aaa"
       + input.image = "ami-0bbb"
       + input.n = 0

     compared with: git:main (for a review, not the state)
     next: npx rollout deploy pool-a0-0"
    `);
  });

  test.each([
    { pools: 1 },
    { pools: 24 },
    { pools: 2, image: "ami-0123456789abcdef0" },
    { pools: 2, image: "x".repeat(128) },
  ])("has no line wider than 80 columns but for single words: %j", (size) => {
    const text = formatReview(bigReview(size));
    expect(tooWide(text)).toEqual([]);
    expect(text.split("\n").filter((line) => line !== line.trimEnd())).toEqual([]);
  });

  test("has a line for each group where pools by groups are too wide", () => {
    const text = formatReview(bigReview({ pools: 1, image: "ami-0123456789abcdef0" }));
    expect(text).toContain("\nGROUP            IMAGE AND WHAT CHANGES\nconsul-server-0  ami-0aaa\n");
    expect(text).toContain("\npool-a0-2        ami-0aaa -> ami-0123456789abcdef0\n");
  });

  test("has hosts in which the same differs but for their names as one, and no other", () => {
    const of = (address: string, ...lines: string[]) => ({ view: "cluster", address, lines });
    const differences = [
      of("null_resource.web-0-0-lb-drained", "- run web-0-0 of web-0"),
      of("null_resource.web-0-1-lb-drained", "- run web-0-1 of web-0"),
      of("null_resource.web-1-0-lb-drained", "- run web-1-0 of web-1"),
      of("null_resource.web-1-1-lb-drained", "- run web-1-1 of web-0"),
      of("null_resource.web-2-0-lb-drained", "- run {host} of {group}"),
      of("null_resource.web-2-leave", "- leave web-2"),
      of("null_resource.web-2-ready", "- leave {group}"),
      of("dns.own", "- leave web-2"),
      { ...of("dns.own", "- leave web-2"), view: "web-2" },
    ];
    const text = formatReview({ ...bigReview({ pools: 1 }), differences });
    expect(text.slice(text.indexOf("9 synth"), text.indexOf("compared"))).toMatchInlineSnapshot(`
     "9 synthesized resources differ:
     null_resource.web-0-0-lb-drained, null_resource.web-0-1-lb-drained,
       null_resource.web-1-0-lb-drained (view cluster, each by its own name)
       - run web-0-0 of web-0
     null_resource.web-1-1-lb-drained (view cluster)
       - run web-1-1 of web-0
     null_resource.web-2-0-lb-drained (view cluster)
       - run {host} of {group}
     null_resource.web-2-leave (view cluster)
       - leave web-2
     null_resource.web-2-ready (view cluster)
       - leave {group}
     dns.own (view cluster)
       - leave web-2
     dns.own (view web-2)
       - leave web-2

     "
    `);
  });

  test("has settings with their cautions before the groups, and the commits before the next command", () => {
    const settings = [
      { path: "aws.keyName", before: null, after: "ops", caution: false },
      { path: "protection", before: "on", after: "off", caution: true },
    ];
    const commits = { base: "0123456789ab", head: "ba9876543210", isCommitted: true };
    const text = formatReview({ ...bigReview({ pools: 1 }), settings, commits });
    expect(text).toContain(
      "\n\nhow groups are rolled:\n  aws.keyName: not set -> ops\n  CAUTION protection: on -> off\n\npool-a0-0: ",
    );
    expect(text.split("\n").slice(-3)).toEqual([
      "base: 0123456789ab",
      "head: ba9876543210",
      "next: npx rollout deploy pool-a0-0",
    ]);
  });

  test("is not obeyed by a terminal, and keeps its lines", () => {
    const review = { ...bigReview({ pools: 1 }), deployed: "git:a\nb\u001b[2J\u202e" };
    expect(formatReview(review).split("\n").at(-2)).toBe("compared with: git:a\\u{a}b\\u{1b}[2J\\u{202e}");
  });
});

test("a long line goes on two columns further in, and a long word stays whole", () => {
  expect(wrapLine(`  ${"word ".repeat(20).trim()}`)).toEqual([
    `  ${"word ".repeat(15).trim()}`,
    `    ${"word ".repeat(5).trim()}`,
  ]);
  const long = "x".repeat(100);
  expect(wrapLine(long)).toEqual([long]);
  expect(wrapLine(`+ ${long}`)).toEqual(["+", `  ${long}`]);
});
