import { describe, expect, test } from "@jest/globals";
import { groupAddress, hostAddress, PLATFORMS } from "../../cluster/address.js";
import { groupsOf } from "../../cluster/groups.js";
import { attributePath, clusterOf, declaredHash, memberValues, triggersOf } from "../../cluster/members.js";
import { exampleSpec, localSpec, nothing, resourcesOf } from "../support/fixtures.js";

const SPECS = { aws: exampleSpec(), local: localSpec() };

describe.each(PLATFORMS)("what is rendered on %s is read again", (platform) => {
  const spec = SPECS[platform];
  const rendered = resourcesOf(spec, nothing(), "cluster");
  const group = groupsOf(spec).find(({ name }) => name === "broker-1");
  if (!group) throw new Error("no broker-1");
  const host = hostAddress(platform, group.name, 0, "host");

  test("a machine", () => {
    const body = rendered.get(host) ?? {};
    const { image, instanceType, hash } = group;
    expect(memberValues("host", host, body)).toMatchObject({ image, instanceType, hash });
    expect(declaredHash(host, body)).toBe(hash);
    expect(clusterOf(body)).toBe(spec.name);
  });

  test("a data volume", () => {
    const data = hostAddress(platform, group.name, 0, "data");
    expect(memberValues("data", data, rendered.get(data))).toMatchObject({ ...group.dataVolume });
  });

  test("hooks, and the record of the revisions", () => {
    const [config, ready] = [
      hostAddress(platform, group.name, 0, "config-consul"),
      groupAddress(platform, group.name, "ready"),
    ];
    const told = memberValues("config-consul", config, rendered.get(config));
    expect(told.host).toBe(`\${${host}.id}`);
    expect(triggersOf(config, rendered.get(config))).toEqual(told);
    expect(memberValues("ready", ready, rendered.get(ready))).toMatchObject({
      hash: group.hash,
      gate: "open",
    });
    const revision = groupAddress(platform, group.name, "revision");
    expect(memberValues("revision", revision, rendered.get(revision)).revisions).toMatchObject([
      { number: 1, image: group.image, hash: group.hash },
    ]);
  });
});

test("a resource is of the cluster that its tag names, or its input where it has none", () => {
  const input = { cluster: "demo" };
  expect(clusterOf({ input })).toBe("demo");
  expect(clusterOf({ input, tags: { "rollout:cluster": "prod" } })).toBe("prod");
  expect(clusterOf({ input: {}, tags: null })).toBeUndefined();
});

test("the path of what is missing ends where the resource does", () => {
  const host = "aws_instance.broker-0-0";
  expect(attributePath("host", host, {}, ["image"])).toEqual(["ami"]);
  expect(attributePath("host", host, {}, ["hash"])).toEqual(["tags"]);
  expect(attributePath("host", host, { tags: {} }, ["hash"])).toEqual(["tags", "rollout:template-hash"]);
  const record = { input: { revisions: [{}] } };
  const revision = "terraform_data.broker-0-revision";
  expect(attributePath("revision", revision, record, ["revisions", 0, "image"])).toEqual([
    "input",
    "revisions",
    0,
    "image",
  ]);
});
