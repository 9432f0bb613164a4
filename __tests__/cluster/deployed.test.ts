import { expect, test } from "@jest/globals";
import { deployedFromSpec, describeOrigin, isForReview, nothingDeployed } from "../../cluster/deployed.js";
import { EXAMPLE, LOCAL_EXAMPLE, specOf } from "./yaml/example.js";

test("an empty state has no group, no address and no cluster", () => {
  const origin = { kind: "state", where: "demo.tfstate", serial: 0, lineage: "" } as const;
  expect(nothingDeployed(origin)).toEqual({ origin, groups: new Map(), addresses: new Set() });
});

test("a spec that was rolled out completely has all hosts, volumes and one revision in each group", () => {
  const addresses = new Set(["aws_instance.broker-0-0"]);
  const deployed = deployedFromSpec(specOf(EXAMPLE), "git:HEAD", addresses);
  const broker = deployed.groups.get("broker-1");
  expect([...deployed.groups.keys()]).toHaveLength(12);
  expect(deployed).toMatchObject({ cluster: "demo", origin: { kind: "spec", where: "git:HEAD" }, addresses });
  expect(broker?.hosts.map(({ name, subnetId }) => [name, subnetId])).toEqual([
    ["broker-1-0", "subnet-0b1"],
    ["broker-1-1", "subnet-0b1"],
    ["broker-1-2", "subnet-0b1"],
  ]);
  expect(broker?.volumes).toEqual([0, 1, 2].map((host) => ({ host, sizeGib: 100, type: "gp3" })));
  expect(broker?.revisions).toMatchObject([
    { number: 0, image: "ami-0aaa", generation: 0, cause: "git:HEAD" },
  ]);
});

test("a host on the local platform is in no subnet", () => {
  const deployed = deployedFromSpec(specOf(LOCAL_EXAMPLE), "file:cluster.yaml", new Set());
  expect(deployed.groups.get("broker-0")?.hosts[0]).not.toHaveProperty("subnetId");
});

test("only the state itself is more than a review", () => {
  const state = { kind: "state", where: "demo.tfstate", serial: 12, lineage: "x" } as const;
  expect(
    [state, { ...state, copy: true } as const, { kind: "spec", where: "git:HEAD" } as const].map(isForReview),
  ).toEqual([false, true, true]);
  expect(describeOrigin(state)).toBe("demo.tfstate, serial 12");
  expect(describeOrigin({ ...state, copy: true })).toBe("demo.tfstate, serial 12 (a copy, for a review)");
  expect(describeOrigin({ kind: "spec", where: "git:HEAD" })).toBe("git:HEAD (for a review, not the state)");
});
