import { expect, test } from "@jest/globals";
import { addressIn, isExpression, namesIn, referencesIn } from "../../guard/references.js";

test("what a text names stands in its expressions alone", () => {
  expect(referencesIn("aws_instance.broker-0-0.id")).toEqual([]);
  expect(referencesIn("$${aws_instance.broker-0-0.id} %%{ if a.b }")).toEqual([]);
  expect(referencesIn("${aws_instance.broker-0-0.id},${local.a[var.b]}")).toEqual([
    "aws_instance.broker-0-0.id",
    "local.a",
    "var.b",
  ]);
});

test("an expression that does more than name something stands among it as it is", () => {
  expect(referencesIn('${file("x")}')).toEqual(['${file("x")}']);
  expect(referencesIn("%{ if var.a }b%{ endif }")).toEqual(["%{ if var.a }b%{ endif }", "var.a"]);
});

test.each([
  ["${[aws_instance.broker-0-0][0].id}", "an index"],
  ["${aws_instance . broker-0-0 . id}", "white space"],
  ["${aws_instance\n.broker-0-0.id}", "a line"],
  ["${aws_instance/* a.b */./**/broker-0-0.id}", "comments"],
  ["${[ # a.\naws_instance.broker-0-0.id]}", "the end of another comment"],
  ["${aws_instance // a.b\n.broker-0-0.id}", "a comment to the end of the line"],
  ["${1-aws_instance.broker-0-0.count}", "a number before"],
  ["${1e3-aws_instance.broker-0-0.count}", "a number with an exponent before"],
  ["${local.a.0-aws_instance.broker-0-0.count}", "an index without brackets before"],
  ['${join(",", ["${aws_instance.broker-0-0.id}"])}', "an expression in an expression"],
  ["%{ for a in aws_instance.broker-0-0.tags }${a}%{ endfor }", "a directive"],
  ["$$${aws_instance.other-0-0.id}${aws_instance.broker-0-0.id}", "an escaped one before"],
])("finds what %j names, with %s", (text) => {
  expect(referencesIn(text).map(addressIn)).toContain("aws_instance.broker-0-0");
});

test("an entry of depends_on is an expression as a whole", () => {
  expect(namesIn("aws_instance.broker-0-0")).toEqual(["aws_instance.broker-0-0"]);
  expect(namesIn("data.aws_subnet. subnet-0")).toEqual(["data.aws_subnet.subnet-0"]);
});

test("an address is without what is read of it", () => {
  expect(addressIn("aws_instance.broker-0-0[0].id")).toBe("aws_instance.broker-0-0");
  expect(addressIn("data.aws_subnet.subnet-0.availability_zone")).toBe("data.aws_subnet.subnet-0");
  expect(addressIn("var.image")).toBe("var.image");
});

test("what is escaped is no expression", () => {
  expect(["${a}", "%{ if a }", "x$${y}${z}"].map(isExpression)).toEqual([true, true, true]);
  expect(["$${a}", "$$${a}", "%%{ if a }", "$ {", "$", "{}"].some(isExpression)).toBe(false);
});
