import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { knownKeys, specJsonSchema } from "../../../cluster/yaml/json-schema.js";
import { EXAMPLE } from "./example.js";

const CHECKED_IN = readFileSync(new URL("../../../cluster.schema.json", import.meta.url), "utf8");

test("cluster.schema.json is up to date; after a change of the schema run npm run reference", () => {
  expect(JSON.parse(CHECKED_IN)).toEqual(JSON.parse(JSON.stringify(specJsonSchema())));
});

test("the schema has one half for each platform", () => {
  expect(halves.map((half) => half.properties?.["platform"]?.const)).toEqual(["aws", "local"]);
});

test("every parameter of machines is an array of exactly three, and a pool's other settings are none", () => {
  for (const half of halves) {
    for (const pool of poolsOf(half)) {
      const arrays = Object.entries(pool.properties ?? {}).filter(
        ([, property]) => property.type === "array",
      );
      expect(arrays.length).toBeGreaterThanOrEqual(4);
      for (const [, property] of arrays) expect(property).toMatchObject({ minItems: 3, maxItems: 3 });
      for (const [, property] of arrays) expect(Array.isArray(property.items)).toBe(false);
    }
  }
});

test("no map of the schema takes keys that it does not name, but pools, headers and tags", () => {
  const open: string[] = [];
  walk(JSON.parse(CHECKED_IN), "", (path, schema) => {
    if (schema.type === "object" && schema.additionalProperties !== false) open.push(path);
  });
  expect(open.filter((path) => !/\/properties\/(headers|tags\/items)$/.test(path))).toEqual([
    "/oneOf/0/properties/pools",
    "/oneOf/1/properties/pools",
  ]);
});

test("the example satisfies the schema: known keys, required keys, arrays of three", () => {
  const [aws] = halves;
  const example = parse(EXAMPLE) as Record<string, Record<string, Record<string, unknown>>>;
  expect(aws?.required).toEqual(expect.arrayContaining(["name", "platform", "aws", "backend", "pools"]));
  expect(Object.keys(aws?.properties ?? {})).toEqual(expect.arrayContaining(Object.keys(example)));
  const clients = aws?.properties?.["pools"]?.additionalProperties as Schema;
  for (const settings of Object.values(example["pools"] ?? {})) {
    expect(Object.keys(settings)).toEqual(expect.arrayContaining(clients.required ?? []));
    for (const [key, value] of Object.entries(settings)) {
      const property = clients.properties?.[key];
      expect(property).toBeDefined();
      expect(Array.isArray(value) ? value.length : undefined).toBe(property?.minItems);
      const items = property?.items as Schema | undefined;
      if (items?.pattern !== undefined)
        expect(value).toEqual(Array(3).fill(expect.stringMatching(items.pattern)));
    }
  }
});

test("the keys that are known depend on the platform and on the backend's type", () => {
  expect(knownKeys([], { platform: "aws" })).toContain("aws");
  expect(knownKeys([], { platform: "local" })).not.toContain("aws");
  expect(knownKeys(["backend"], { platform: "local", backend: { type: "local" } })).toEqual(["type", "path"]);
  expect(knownKeys(["backend"], { platform: "local", backend: { type: "s3" } })).toContain("bucket");
});

test("all keys are known where nothing says which half is meant", () => {
  expect(knownKeys([], {})).toContain("aws");
  expect(knownKeys(["backend"], { backend: { type: "consul" } })).toEqual(
    expect.arrayContaining(["type", "path", "bucket"]),
  );
});

test("keys that are only named to be refused are not known", () => {
  expect(knownKeys(["pools", "consul-server"], {})).toEqual([
    "images",
    "instanceTypes",
    "rootVolumes",
    "instanceProfiles",
    "securityGroupIds",
    "tags",
    "userData",
    "generations",
    "hosts",
    "ready",
    "bake",
    "steps",
  ]);
});

test("keys are known inside lists and in pools of any name", () => {
  expect(knownKeys(["pools", "constructor", "dataVolumes", 1], {})).toEqual([
    "sizeGib",
    "type",
    "iops",
    "throughput",
  ]);
});

test("nothing is known below a scalar or an unknown key", () => {
  expect(knownKeys(["name", "first"], {})).toEqual([]);
  expect(knownKeys(["toString"], {})).toEqual([]);
});

interface Schema {
  type?: string;
  const?: string;
  pattern?: string;
  minItems?: number;
  required?: string[];
  items?: unknown;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
}

const halves = (JSON.parse(CHECKED_IN) as { oneOf: Schema[] }).oneOf;

function poolsOf(half: Schema): Schema[] {
  const pools = half.properties?.["pools"];
  return [...Object.values(pools?.properties ?? {}), pools?.additionalProperties as Schema];
}

function walk(value: unknown, path: string, visit: (path: string, schema: Schema) => void): void {
  if (typeof value !== "object" || value === null) return;
  visit(path, value);
  for (const [key, child] of Object.entries(value)) walk(child, `${path}/${key}`, visit);
}
