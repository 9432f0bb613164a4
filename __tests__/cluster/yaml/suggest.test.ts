import { expect, test } from "@jest/globals";
import { nearest } from "../../../cluster/yaml/suggest.js";

const KNOWN = ["images", "instanceTypes", "hosts", "dataVolumes", "aws"];

test.each([
  ["image", "images"],
  ["hsots", "hosts"],
  ["instance_types", "instanceTypes"],
  ["INSTANCETYPES", "instanceTypes"],
  ["data", "dataVolumes"],
  ["awss", "aws"],
  ["asw", "aws"],
])("%s was probably meant as %s", (word, meant) => {
  expect(nearest(word, KNOWN)).toBe(meant);
});

test.each(["colour", "abc", "x", "", "da", "images of a kind"])("%j resembles nothing", (word) => {
  expect(nearest(word, KNOWN)).toBeUndefined();
});

test("the nearest of several counts, and of two equal ones the first", () => {
  expect(nearest("broker-1", ["broker-00", "broker-0", "broker-2"])).toBe("broker-0");
});
