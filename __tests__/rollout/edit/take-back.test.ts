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
  expect(takeBack(wanted, { ...standing, hosts }, false)).toMatchObject({
    group: "broker-0",
    what: "ami-0bbb -> ami-0aaa",
    change: { image: "ami-0aaa", generation: 1 },
  });
});

test("a group of which nothing has begun to go needs no other generation", () => {
  expect(takeBack(wanted, standing, false)).toMatchObject({
    change: { image: "ami-0aaa", generation: 0 },
  });
});

test("a group whose instance type alone was changed goes back, too; one that was restarted is there already", () => {
  const edited = (edit: (broker: ReturnType<typeof poolOf>) => void) =>
    findGroup(
      change(before, (draft) => {
        edit(poolOf(draft, "broker"));
      }),
      "broker-0",
    );
  const typed = edited((broker) => {
    broker.instanceTypes[0] = "m6i.xlarge";
  });
  expect(takeBack(typed, standing, true)).toMatchObject({
    what: "m6i.xlarge -> m6i.large",
    change: { image: "ami-0aaa", instanceType: "m6i.large", generation: 1 },
  });
  const restarted = edited((broker) => {
    broker.generations = [1, 0, 0];
  });
  expect(takeBack(restarted, standing, true)).toBeUndefined();
});
