import { readFileSync } from "node:fs";
import fc from "fast-check";
import { loadSpec } from "../../../cluster/yaml/load.js";
import type { Spec } from "../../../cluster/yaml/schema.js";

/** The text of `cluster.example.yaml`. */
export const EXAMPLE = readFileSync(new URL("../../../cluster.example.yaml", import.meta.url), "utf8");

/** The example with some text replaced; a text that is not there is a mistake of the test. */
export function exampleWith(...replacements: readonly (readonly [from: string, to: string])[]): string {
  return replacements.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the example does not contain ${from}`);
    return text.replace(from, () => to);
  }, EXAMPLE);
}

/** The example on the local platform, where an image may have any name. */
export const LOCAL_EXAMPLE = exampleWith(
  ["platform: aws # aws | local", "platform: local"],
  [EXAMPLE.slice(EXAMPLE.indexOf("aws:\n"), EXAMPLE.indexOf("backend:")), ""],
);

export const specOf = (text: string): Spec => loadSpec(new TextEncoder().encode(text), "cluster.yaml");

/** What a call throws: its message, and for anything but a mistake of the user its class too. */
export function errorOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return ["SpecError", "UserError"].includes(error.name)
      ? error.message
      : `${error.name}: ${error.message}`;
  }
  throw new Error("nothing was thrown");
}

/** Why a text is no spec. */
export const refusal = (text: string): string => errorOf(() => specOf(text));

/** The parts of a spec that tests vary, before defaults are filled in. */
interface RawPool {
  images: [string, string, string];
  instanceTypes: [string, string, string];
  generations: [number, number, number];
  hosts?: [number, number, number];
  dataVolumes?: [{ sizeGib: number }, { sizeGib: number }, { sizeGib: number }];
}

export interface RawSpec {
  name: string;
  platform: "local";
  backend: { type: "local"; path: string };
  pools: Record<string, RawPool>;
}

/** A legal name for a client pool. */
export const poolName = fc
  .stringMatching(/^[a-z][a-z0-9]{0,6}(-[a-z][a-z0-9]{0,4}){0,2}$/)
  .filter((name) => !["cluster", "consul-server", "nomad-server"].includes(name));

const threeOf = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<[T, T, T]> => fc.tuple(value, value, value);

const machines = {
  images: threeOf(fc.constantFrom("ami-0aaa", "ami-0bbb", "v1.2")),
  instanceTypes: threeOf(fc.constantFrom("t3.small", "m6i.large")),
  generations: threeOf(fc.nat(3)),
};

const serverPool: fc.Arbitrary<RawPool> = fc.record(machines);

const clientPool: fc.Arbitrary<RawPool> = fc.record(
  {
    ...machines,
    hosts: threeOf(fc.integer({ min: 1, max: 4 })),
    dataVolumes: threeOf(fc.record({ sizeGib: fc.integer({ min: 1, max: 100 }) })),
  },
  { requiredKeys: ["images", "instanceTypes", "generations"] },
);

/** Any spec on the local platform, with up to three client pools. */
export const rawSpec: fc.Arbitrary<RawSpec> = fc
  .tuple(serverPool, serverPool, fc.dictionary(poolName, clientPool, { maxKeys: 3 }))
  .map(([consul, nomad, clients]) => ({
    name: "demo",
    platform: "local",
    backend: { type: "local", path: "demo.tfstate" },
    pools: { "consul-server": consul, "nomad-server": nomad, ...clients },
  }));
