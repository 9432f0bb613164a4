import { expect, test } from "@jest/globals";
import { takeBack } from "../../../rollout/edit/take-back.js";
import { findGroup } from "../../../cluster/find-group.js";
import { change, deployedAs, groupIn, localSpec, poolOf } from "../../support/fixtures.js";

const before = localSpec();
const spec = change(before, (edited) => {
  poolOf(edited, "broker").images[0] = "ami-0bbb";
});
const wanted = findGroup(spec, "broker-0");
const standing = groupIn(deployedAs(before), "broker-0");

test("a group of which some machines are new goes back whole, whatever the log says", () => {
  const hosts = standing.hosts.map((host) =>
    host.number === 0 ? { ...host, image: "ami-0bbb", hash: wanted.hash } : host,
  );
  expect(takeBack(wanted, { ...standing, hosts }, false)).toEqual({
    group: "broker-0",
    from: "ami-0bbb",
    image: "ami-0aaa",
    generation: 1,
  });
});

test("a group of which nothing has begun to go needs no other generation", () => {
  expect(takeBack(wanted, standing, false)).toMatchObject({ image: "ami-0aaa", generation: 0 });
});
