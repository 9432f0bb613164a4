import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { buildProgram } from "../../cli/rollout.js";
import type { Verb } from "../../cli/verb.js";
import { groupsOf } from "../../cluster/groups.js";
import { withUserData } from "../../cluster/yaml/user-data-files.js";
import { generated } from "../../scripts/reference/generated.js";
import { specKeys } from "../../scripts/reference/spec-keys.js";
import { verbsOf } from "../../scripts/reference/verbs.js";
import { EXAMPLE, specOf } from "../cluster/yaml/example.js";

const pages = Object.keys(generated).filter((file) => /\.(md|svg)$/.test(file));

test.each(pages)("%s is up to date; after a change run npm run reference", (file) => {
  const checkedIn = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
  expect(checkedIn).toBe(generated[file]?.());
});

test("every key of cluster.yaml has a description", () => {
  const keys = specKeys();
  expect(keys.length).toBeGreaterThan(60);
  expect(keys.filter(({ description }) => description === "").map(({ path }) => path)).toEqual([]);
});

test("every key that may be left out says what counts then, which is what the schema fills in", () => {
  const wrong = specKeys().filter(({ value, isRequired, defaultText, filledIn }) => {
    if (isRequired) return defaultText !== undefined;
    if (defaultText === undefined) return value !== "a map";
    return filledIn !== undefined && filledIn !== defaultText;
  });
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

test("the keys that replace machines are those that change the hash of the template", () => {
  const ofPools = specKeys().filter(({ path }) => /^pools\.NAME\.\w+$/.test(path));
  const named = (path: string): string => path.replace("pools.NAME.", "");
  expect(Object.keys(OTHER).sort()).toEqual(ofPools.map(({ path }) => named(path)).sort());
  expect(Object.keys(OTHER).filter((key) => hashWith({ [key]: OTHER[key] }) !== hashWith({}))).toEqual(
    ofPools.filter(({ replacesMachines }) => replacesMachines).map(({ path }) => named(path)),
  );
});

test("of a data volume its type alone replaces machines", () => {
  const keys = specKeys().filter(({ path }) => path.startsWith("pools.NAME.dataVolumes[]."));
  expect(keys.filter(({ replacesMachines }) => replacesMachines).map(({ path }) => path)).toEqual([
    "pools.NAME.dataVolumes[].type",
  ]);
  const volumes = (volume: object) => hashWith({ dataVolumes: [volume, volume, volume] });
  expect(volumes({ sizeGib: 100, type: "gp2" })).not.toBe(hashWith({}));
  expect(volumes({ sizeGib: 100, iops: 6000, throughput: 500 })).toBe(hashWith({}));
});

test("no key outside of pools says that it replaces machines", () => {
  const others = specKeys().filter(({ path }) => !path.startsWith("pools.NAME."));
  expect(others.filter(({ replacesMachines }) => replacesMachines).map(({ path }) => path)).toEqual([]);
});

const verbs = verbsOf(buildProgram());

test.each(verbs.map((verb) => [verb.fullName, verb] as const))(
  "%s, its arguments and its options are described, with an example",
  (_, verb) => {
    const parts = [verb.description(), ...[...verb.registeredArguments, ...verb.options].map(descriptionOf)];
    expect(parts).not.toContain("");
    expect(verb.examples).not.toEqual([]);
  },
);

test.each(verbs.flatMap((verb) => verb.exampleLines))("the command line understands: %s", (line) => {
  const [call = ""] = line.split("  #");
  const [, , ...words] = call
    .trim()
    .replace(/'[^']*'/g, "text")
    .split(/\s+/);
  const program = buildProgram();
  const called: string[] = [];
  for (const verb of verbsOf(program)) {
    quietly(verb).action(() => {
      called.push(verb.fullName);
    });
  }
  program.parse(words, { from: "user" });
  expect(called).toHaveLength(1);
  expect(line).toMatch(new RegExp(`^npx ${called.join("")}\\b`));
});

test("the help of a verb ends with its examples and exit codes", () => {
  const verb = verbs.find(({ fullName }) => fullName === "rollout restart");
  let help = "";
  verb?.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  expect(help).toContain(`
Examples:
  npx rollout restart broker-0  # new machines, of the same image

Exit codes:
  0  fine
  1  refused or failed
  2  wrong usage, or a mistake in the spec
`);
});

/** Another value for each key of the example's pool broker. */
const OTHER: Readonly<Record<string, unknown>> = {
  images: ["ami-0fff", "ami-0fff", "ami-0fff"],
  instanceTypes: ["m6i.metal", "m6i.metal", "m6i.metal"],
  rootVolumes: [{ sizeGib: 77 }, { sizeGib: 77 }, { sizeGib: 77 }],
  instanceProfiles: ["other", "other", "other"],
  securityGroupIds: [["sg-7"], ["sg-7"], ["sg-7"]],
  tags: [{ team: "data" }, { team: "data" }, { team: "data" }],
  userData: ["a.sh", "a.sh", "a.sh"],
  generations: [7, 7, 7],
  hosts: [7, 7, 7],
  maxUnavailable: 1,
  // More is refused with data volumes.
  maxSurge: 0,
  dataVolumes: [
    { sizeGib: 100, iops: 6000 },
    { sizeGib: 100, iops: 6000 },
    { sizeGib: 100, iops: 6000 },
  ],
  workload: "moves",
  loadBalancer: { port: 77 },
  retire: "keep-volumes",
  drain: { deadline: "77m" },
  ready: { timeout: "77m" },
  bake: { time: "77m" },
  steps: { beforeLeave: [{ name: "silence", command: ["silence"] }] },
};

function hashWith(changes: Readonly<Record<string, unknown>>): string | undefined {
  const spec = parse(EXAMPLE) as { pools: Record<string, object> };
  const same = { workload: "stays", maxUnavailable: 2 };
  const pools = { ...spec.pools, broker: { ...spec.pools["broker"], ...same, ...changes } };
  const read = (): Uint8Array => new TextEncoder().encode("#!/bin/sh\n");
  const changed = withUserData(specOf(JSON.stringify({ ...spec, pools })), "cluster.yaml", read);
  const groups = groupsOf(changed);
  return groups.find(({ name }) => name === "broker-0")?.hash;
}

const descriptionOf = ({ description }: { readonly description: string }): string => description;

/** What is wrong with a call is thrown, and not printed as well. */
const quietly = (verb: Verb): Verb => verb.exitOverride().configureOutput({ writeErr: () => undefined });
