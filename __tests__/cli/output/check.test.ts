import { describe, expect, test } from "@jest/globals";
import type { CheckResult } from "../../../program/check-result.js";
import { formatCheck, formatCheckMarkdown } from "../../../cli/output/check.js";
import { allNodes, readMarkdown } from "./read-markdown.js";

const none = { create: 0, update: 0, replace: 0, delete: 0, forget: 0, move: 0, unknown: 0 };

const accepted: CheckResult = {
  verdict: "accepted",
  view: "broker-0",
  touched: ["broker-0"],
  others: [],
  own: [],
  violations: [],
  changes: { machines: 1, byAction: { ...none, replace: 3, update: 1 }, images: ["broker-0: v1 -> v2"] },
  drift: [],
  differs: [],
  gate: "open",
  configuration: true,
  deployed: "terraform.demo.tfstate, serial 3",
  rules: 14,
  plan: { sha256: "ab".repeat(32), tool: "Terraform", terraformVersion: "1.11.4", formatVersion: "1.2" },
};

const violation = (rule: "one-group" | "target-group", subject: string) => ({
  rule,
  subjects: [subject],
  message: `wrong: ${subject}`,
  remedy: "set it back",
});

describe("A verdict in text", () => {
  test("calls OpenTofu by its name", () => {
    const result = {
      ...accepted,
      plan: { ...accepted.plan, tool: "OpenTofu", terraformVersion: "1.12.6" },
    } as const;
    expect(formatCheck(result)).toMatch(
      /; OpenTofu: 1 update, 3 replace\n[^]*, OpenTofu 1\.12\.6, format 1\.2$/,
    );
    expect(formatCheckMarkdown(result)).toMatch(/; OpenTofu: 1 update, 3 replace[^]* OpenTofu `1\.12\.6` /);
    expect([formatCheck(result), formatCheckMarkdown(result)].join()).not.toContain("Terraform");
  });

  test("of an accepted plan is four lines", () => {
    expect(formatCheck(accepted)).toMatchInlineSnapshot(`
     "accepted: the plan of broker-0 (broker-0); 14 rules passed
     changes: 1 machine (broker-0: v1 -> v2); Terraform: 1 update, 3 replace
     deployed: terraform.demo.tfstate, serial 3
     plan: sha256 abababababababababababababababababababababababababababababababab, Terraform 1.11.4, format 1.2"
    `);
  });

  test("of a rejected one counts rules, not violations, and has a line for each violation", () => {
    const violations = [
      violation("one-group", "a"),
      violation("one-group", "b"),
      violation("target-group", "c"),
    ];
    expect(
      formatCheck({ ...accepted, verdict: "rejected", violations })
        .split("\n")
        .slice(0, 4),
    ).toEqual([
      "rejected: the plan of broker-0 (broker-0) breaks 2 of 14 rules",
      "one-group: wrong: a; set it back",
      "one-group: wrong: b; set it back",
      "target-group: wrong: c; set it back",
    ]);
  });

  test("says of a closed gate that the plan rolls and does not record", () => {
    const closed = { ...accepted, gate: "closed" } as const;
    const sentence =
      "the gate is closed: this plan rolls, and neither proves that the group is whole nor records a revision; finish it with: rollout deploy broker-0";
    expect(formatCheck(closed).split("\n")[2]).toBe(sentence);
    expect(formatCheckMarkdown(closed).replaceAll("\\", "").split("\n")).toContain(sentence);
    const none = formatCheck({ ...closed, touched: [] });
    expect(none).not.toContain("gate");
    expect(formatCheck({ ...closed, view: "cluster" }).split("\n")[2]).toMatch(/ nor records a revision$/);
  });

  test("names what is the user's own, and says nothing where there is none", () => {
    const own = ["aws_route53_zone.main", "data.aws_ami.base"];
    const sentence = "your own resources and data sources: aws_route53_zone.main, data.aws_ami.base";
    expect(formatCheck({ ...accepted, own }).split("\n")[2]).toBe(sentence);
    expect(
      formatCheckMarkdown({ ...accepted, own })
        .replaceAll("`", "")
        .split("\n"),
    ).toContain(sentence);
    expect(formatCheck(accepted)).not.toContain("your own");
  });

  test("names up to three groups, counts more, and says where there is none or no view", () => {
    const first = (result: Partial<CheckResult>) => formatCheck({ ...accepted, ...result }).split("\n")[0];
    expect(first({ touched: ["a", "b", "c"] })).toContain("broker-0 (a, b, c)");
    expect(first({ touched: ["a", "b", "c", "d"] })).toContain("broker-0 (4 groups)");
    const byAction = { create: 0, update: 0, replace: 0, delete: 0, forget: 0, move: 0, unknown: 0 };
    const changes = { machines: 0, byAction, images: [] };
    expect(first({ touched: [], view: null, changes })).toContain(
      "the plan of no view (no resource changes)",
    );
    const relics = { ...changes, byAction: { ...byAction, delete: 9 } };
    expect(first({ touched: [], changes: relics })).toContain("the plan of broker-0 (no group)");
  });

  test("names what belongs to no group, and does not say then that nothing changes", () => {
    const others = ["aws_lb.broker", "aws_route53_record.own"];
    const first = (result: Partial<CheckResult>) => formatCheck({ ...accepted, ...result }).split("\n")[0];
    expect([first({ touched: [], others }), first({ others: others.slice(1) })]).toEqual([
      "accepted: the plan of broker-0 (no group, 2 shared or own resources); 14 rules passed",
      "accepted: the plan of broker-0 (broker-0, 1 shared or own resource); 14 rules passed",
    ]);
    for (const text of [formatCheck({ ...accepted, others }), formatCheckMarkdown({ ...accepted, others })]) {
      expect(text.replaceAll("`", "").split("\n")).toContain(
        "shared or own: aws_lb.broker, aws_route53_record.own",
      );
    }
  });

  test("says which groups a value of the whole cluster has not reached", () => {
    const differs = ["broker-0", "broker-1", "broker-2", "web-0"].map((group) => ({
      group,
      keys: group === "web-0" ? ["keyName", "userData"] : ["keyName"],
    }));
    const sentences = [
      "differs: keyName of broker-0 to -2; reaches a group when it is rolled",
      "differs: keyName, userData of web-0; reaches a group when it is rolled",
    ];
    expect(
      formatCheck({ ...accepted, differs })
        .split("\n")
        .slice(2, 4),
    ).toEqual(sentences);
    const markdown = formatCheckMarkdown({ ...accepted, differs }).split("\n");
    for (const sentence of sentences) expect(markdown).toContain(sentence);
  });

  test("cuts a long list of drift and of images, and says how many are left out", () => {
    const drift = Array.from({ length: 40 }, (_, index) => ({
      address: `x.y${String(index)}`,
      action: "update",
    }));
    const images = Array.from({ length: 40 }, (_, index) => `g-${String(index)}: a -> b`);
    const text = formatCheck({ ...accepted, drift, changes: { ...accepted.changes, images } });
    expect(text).toContain("drift, not counted: x.y0, x.y1, x.y2, x.y3, x.y4, x.y5, x.y6, x.y7 and 32 more");
    expect(text).toContain("g-7: a -> b and 32 more);");
  });

  test("keeps to its lines, and a terminal obeys nothing in it", () => {
    const evil = "a\nrejected: b\u001b[2J\u202e";
    const text = formatCheck({
      ...accepted,
      view: evil,
      deployed: evil,
      drift: [{ address: evil, action: evil }],
    });
    expect(text.split("\n")).toHaveLength(5);
    for (const hidden of ["\u001b", "\u202e"]) expect(text).not.toContain(hidden);
    expect(text).toContain("a\\u{a}rejected: b\\u{1b}[2J\\u{202e}");
  });

  test("counts changes by Terraform's words and says where there are none", () => {
    const line = (changes: CheckResult["changes"]) => formatCheck({ ...accepted, changes }).split("\n")[1];
    expect(line({ machines: 0, byAction: none, images: [] })).toBe(
      "changes: 0 machines; Terraform: no changes",
    );
    expect(line({ machines: 2, byAction: { ...none, create: 1, forget: 2 }, images: [] })).toBe(
      "changes: 2 machines; Terraform: 1 create, 2 forget",
    );
  });
});

describe("A verdict in Markdown", () => {
  test("cuts a long list of drift, folded, and says how many are left out", async () => {
    const drift = Array.from({ length: 5000 }, (_, index) => ({
      address: `x.y_${String(index)}`,
      action: "update",
    }));
    const text = formatCheckMarkdown({ ...accepted, drift });
    expect(Buffer.byteLength(text)).toBeLessThan(60_000);
    expect(text).toContain("<details><summary>drift, not counted (5000)</summary>");
    expect(text).toContain("- and 4900 more");
    const items = allNodes(await readMarkdown(text)).filter(({ type }) => type === "listItem");
    expect(items).toHaveLength(101);
  });
});
