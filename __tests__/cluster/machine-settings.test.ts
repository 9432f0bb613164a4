import { describe, expect, test } from "@jest/globals";
import { deployedFromSpec, type Deployed, type DeployedHost } from "../../cluster/deployed.js";
import { differingGroups } from "../../cluster/machine-settings.js";
import { userData } from "../../cluster/user-data.js";
import type { AwsSettings, Spec } from "../../cluster/yaml/schema.js";
import { parseState } from "../../clients/state/parse-state.js";
import { readFixtureFiles } from "../guard/plan/plan-fixture.js";
import { change, exampleSpec, groupIn, localSpec, poolOf, withGroup } from "../support/fixtures.js";
import { specOf } from "./yaml/example.js";

const spec = exampleSpec();
const standing = deployedFromSpec(spec, "git:main", new Set());

describe("a value of the whole cluster differs until it has reached every machine", () => {
  test.each<[string, (aws: AwsSettings) => void]>([
    ["keyName", (aws) => (aws.keyName = "other")],
    ["keyName", (aws) => delete aws.keyName],
    ["instanceProfile", (aws) => (aws.instanceProfile = "other")],
    ["instanceProfile", (aws) => delete aws.instanceProfile],
    ["securityGroupIds", (aws) => (aws.securityGroupIds = ["sg-0a1"])],
  ])("%s", (key, edit) => {
    expect(differingGroups(spec, standing)).toEqual([]);
    const found = differingGroups(withAws(edit), standing);
    expect(found).toHaveLength(12);
    for (const { keys } of found) expect(keys).toEqual([key]);
  });

  test("a subnet, in the groups that live there", () => {
    const found = differingGroups(
      withAws((aws) => (aws.subnetIds[1] = "subnet-0x1")),
      standing,
    );
    expect(found).toEqual(
      ["consul-server-1", "nomad-server-1", "name-server-1", "broker-1"].map((group) => ({
        group,
        keys: ["subnetIds"],
      })),
    );
  });

  test("in a group of which one machine is left that was made with the old one", () => {
    const hosts = groupIn(standing, "broker-1").hosts.map((host) =>
      host.number === 2 ? { ...host, keyName: "old" } : host,
    );
    expect(differingGroups(spec, withGroup(standing, "broker-1", { hosts }))).toEqual([
      { group: "broker-1", keys: ["keyName"] },
    ]);
  });
});

describe("of security groups", () => {
  const two = withAws((aws) => (aws.securityGroupIds = ["sg-0a1", "sg-0b1"]));
  const keysOf = (...securityGroupIds: string[]) => keysIn(two, withHosts({ securityGroupIds }));

  test("the cluster's own may have any id, and their order means nothing", () => {
    expect(keysOf("sg-0b1", "sg-own", "sg-0a1")).toEqual([]);
  });

  test("one that is missing differs, and so does one that the spec has no more", () => {
    expect(keysOf("sg-own", "sg-0a1")).toEqual(["securityGroupIds"]);
    expect(keysOf("sg-own", "sg-0a1", "sg-0b1", "sg-0c1")).toEqual(["securityGroupIds"]);
  });
});

describe("of user data", () => {
  const host = { ...hostOf(standing), pool: "broker", group: "broker-1" };
  const told = userData("demo", host);
  const keysOf = (text: string | undefined) => keysIn(spec, withHosts({ userData: text }));

  test("a line that this program writes and the machine has not differs", () => {
    expect(keysOf(told)).toEqual([]);
    expect(keysOf(told.replace(/.*ROLLOUT_POOL.*\n/, ""))).toEqual(["userData"]);
  });

  test("lines of an override do not, and a digest says nothing", () => {
    expect(keysOf(`${told}runcmd: [date]\n`)).toEqual([]);
    expect(keysOf("b211e1343aa2cf3098b3abae8c13efef48da5009")).toEqual([]);
  });
});

test("what is not known does not differ, nor does a group that is new, gone or retires", () => {
  const other = withAws((aws) => (aws.keyName = "other"));
  const names = (deployed: Deployed, of: Spec = other) =>
    differingGroups(of, deployed).map(({ group }) => group);
  expect(names(withHosts({ keyName: undefined }))).not.toContain("broker-1");
  expect(names(withGroup(standing, "broker-1", { revisions: [] }))).not.toContain("broker-1");
  expect(names(withGroup(standing, "broker-1", { hosts: [] }))).not.toContain("broker-1");
  const retiring = change(other, (draft) => (poolOf(draft, "broker").retire = "keep-volumes"));
  expect(names(standing, retiring).filter((name) => name.startsWith("broker"))).toEqual([]);
  const local = localSpec();
  expect(differingGroups(local, deployedFromSpec(local, "git:main", new Set()))).toEqual([]);
});

test("a state says what its machines were made with", () => {
  const { spec: text, state } = readFixtureFiles("aws-no-op");
  const made = specOf(text);
  const groups = (of: Spec, from = state) =>
    differingGroups(of, parseState(from, { where: "x", cluster: "demo" })).map(({ keys }) => keys.join());
  expect(groups(made)).toEqual([]);
  expect(groups(withAws((aws) => (aws.keyName = "ops"), made))).toEqual(Array(9).fill("keyName"));
  expect(groups(made, state.replaceAll(/"key_name": ""/g, '"key_name": null'))).toEqual([]);
  expect(groups(made, state.replaceAll(/"key_name": ""/g, '"key_name": "old"'))).toEqual(
    Array(9).fill("keyName"),
  );
});

/** What differs in broker-1. */
const keysIn = (of: Spec, deployed: Deployed) =>
  differingGroups(of, deployed).flatMap(({ group, keys }) => (group === "broker-1" ? keys : []));

function withAws(edit: (aws: AwsSettings) => unknown, of = spec): Spec {
  return change(of, (draft) => {
    if (draft.platform === "aws") edit(draft.aws);
  });
}

function hostOf(deployed: Deployed): DeployedHost {
  const [host] = groupIn(deployed, "broker-1").hosts;
  if (!host) throw new Error("no machine in broker-1");
  return host;
}

/** The first machine of broker-1 with other values, and no other machine of that group. */
function withHosts(values: Partial<DeployedHost>): Deployed {
  return withGroup(standing, "broker-1", { hosts: [{ ...hostOf(standing), ...values }] });
}
