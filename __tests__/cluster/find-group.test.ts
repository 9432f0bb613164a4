import { expect, test } from "@jest/globals";
import { findGroup, findGroups } from "../../cluster/find-group.js";
import { UserError } from "../../cluster/user-error.js";
import { errorOf, EXAMPLE, specOf } from "./yaml/example.js";

test("a group is found by its name", () => {
  expect(findGroup(specOf(EXAMPLE), "name-server-2")).toMatchObject({ pool: "name-server", index: 2 });
});

test.each([
  ["broker-3", 'no group "broker-3" in pool broker (0, 1, 2); did you mean broker-2?'],
  ["broker-10", 'no group "broker-10" in pool broker (0, 1, 2); did you mean broker-2?'],
  ["broker-01", 'no group "broker-01" in pool broker (0, 1, 2); did you mean broker-1?'],
  ["brokr-0", 'no pool "brokr"; did you mean broker? pools: POOLS'],
  ["consul-0", 'no pool "consul"; did you mean consul-server? pools: POOLS'],
  ["kafka-0", 'no pool "kafka"; pools: POOLS'],
  ["broker", '"broker" is a pool; name one of its groups: broker-0, broker-1, broker-2'],
  ["broker-0-1", '"broker-0-1" is a host; did you mean its group broker-0?'],
  ["broker0", 'no group "broker0"; did you mean broker-0? pools: POOLS'],
  ["Broker-1", 'no pool "Broker"; did you mean broker? pools: POOLS'],
  ["brokr", 'no group "brokr"; did you mean broker-0? pools: POOLS'],
  ["borker", 'no group "borker"; did you mean broker-0? pools: POOLS'],
  ["brok", 'no group "brok"; did you mean broker-0? pools: POOLS'],
  ["cluster", 'no group "cluster"; pools: POOLS'],
  ["", 'no group ""; pools: POOLS'],
  ["\u001b[31m", 'no group "\\u001b[31m"; pools: POOLS'],
  ["__proto__", 'no group "__proto__"; pools: POOLS'],
  ["constructor-0", 'no pool "constructor"; pools: POOLS'],
])("refuses %j", (name, message) => {
  expect(errorOf(() => findGroup(specOf(EXAMPLE), name))).toBe(message.replace("POOLS", POOLS));
});

test("a pool stands for its groups where either may be named", () => {
  const namesOf = (name: string) => findGroups(specOf(EXAMPLE), name).map((group) => group.name);
  expect(namesOf("broker")).toEqual(["broker-0", "broker-1", "broker-2"]);
  expect(namesOf("broker-1")).toEqual(["broker-1"]);
});

test.each([
  ["brokr", 'no group or pool "brokr"; did you mean broker? pools: POOLS'],
  ["brokr-0", 'no pool "brokr"; did you mean broker? pools: POOLS'],
  ["broker-7", 'no group "broker-7" in pool broker (0, 1, 2); did you mean broker-2?'],
  ["kafka", 'no group "kafka"; pools: POOLS'],
])("refuses %j where a group or a pool may be named", (name, message) => {
  expect(errorOf(() => findGroups(specOf(EXAMPLE), name))).toBe(message.replace("POOLS", POOLS));
});

test("an unknown group is a wrong usage", () => {
  expect(() => findGroup(specOf(EXAMPLE), "kafka-0")).toThrow(expect.objectContaining({ exitCode: 2 }));
  expect(() => findGroup(specOf(EXAMPLE), "kafka-0")).toThrow(UserError);
});

const POOLS = "consul-server, nomad-server, name-server, broker, each with the groups 0, 1 and 2";
