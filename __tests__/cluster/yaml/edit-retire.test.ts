import { expect, test } from "@jest/globals";
import { findRetirable, setRetire } from "../../../cluster/yaml/edit-retire.js";
import { localSpec } from "../../support/fixtures.js";

const servers = `name: demo
platform: local
backend: { type: local, path: terraform.demo.tfstate }
pools:
  consul-server: { images: [v1, v1, v1], instanceTypes: [small, small, small] }
  nomad-server: { images: [v1, v1, v1], instanceTypes: [small, small, small] }
`;
const block = `${servers}  broker: # kept
    images: [v1, v1, v1]
    instanceTypes: [small, small, small] # of any size
    hosts: [2, 1, 1]
`;

test("a pool gets the key on a line of its own, and every comment stays", () => {
  expect(setRetire(block, "cluster.yaml", "broker", "keep-volumes")).toBe(
    block.replace("    hosts:", "    retire: keep-volumes\n    hosts:"),
  );
});

test("a pool in braces gets the key behind a comma", () => {
  const flow = `${servers}  broker: { images: [v1, v1, v1], instanceTypes: [small, small, small] }\n`;
  expect(setRetire(flow, "cluster.yaml", "broker", "delete-volumes")).toBe(
    flow.replace(/ \}\n$/, ", retire: delete-volumes }\n"),
  );
});

test("a key that is there gets the other value", () => {
  const keeping = setRetire(block, "cluster.yaml", "broker", "keep-volumes");
  expect(setRetire(keeping, "cluster.yaml", "broker", "delete-volumes")).toBe(
    keeping.replace("keep-volumes", "delete-volumes"),
  );
});

test("refuses whatever is no pool of clients", () => {
  expect(findRetirable(localSpec(), "broker").name).toBe("broker");
  expect(() => findRetirable(localSpec(), "nomad-server")).toThrowErrorMatchingInlineSnapshot(
    `"nomad-server cannot retire: every cluster needs its servers; pools that can: name-server, broker"`,
  );
  expect(() => findRetirable(localSpec(), "broker-1")).toThrowErrorMatchingInlineSnapshot(
    `""broker-1" is a group; only a whole pool retires: broker"`,
  );
  expect(() => findRetirable(localSpec(), "brokr")).toThrowErrorMatchingInlineSnapshot(
    `"no pool "brokr"; did you mean broker? pools that can retire: name-server, broker"`,
  );
  expect(() => findRetirable(localSpec(), "x")).toThrowErrorMatchingInlineSnapshot(
    `"no pool "x"; pools that can retire: name-server, broker"`,
  );
});

test("refuses the key in a pool of servers", () => {
  const text = block.replace("small] }\n  nomad", "small], retire: keep-volumes }\n  nomad");
  expect(() => setRetire(text, "cluster.yaml", "broker", "keep-volumes")).toThrowErrorMatchingInlineSnapshot(
    `"cluster.yaml:5: pools.consul-server.retire: not allowed: server pools stay: a cluster without one is none; a teardown is protection: off"`,
  );
});
