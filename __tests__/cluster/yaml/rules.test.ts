import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { groupName, parseGroupName } from "../../../cluster/address.js";
import { checkRules } from "../../../cluster/yaml/rules.js";
import { exampleWith, LOCAL_EXAMPLE, refusal, specOf } from "./example.js";

test.each([
  "broker",
  "b",
  "broker2",
  "message-broker",
  "b-2b",
  "consul-servers",
  "constructor",
  "b".repeat(40),
])("%s is a name for a pool", (name) => {
  expect(Object.keys(specOf(localWithPool(name)).pools)).toContain(name);
});

test.each([
  "Broker",
  "1broker",
  "broker_a",
  "-broker",
  "broker-",
  "broker--a",
  "brök",
  "__proto__",
  "<<",
  "1",
])("refuses %s as the name of a pool", (name) => {
  expect(refusal(localWithPool(name))).toMatch(
    `"${name}" is no name for a pool; expected lower-case letters, digits and single hyphens, starting with a letter (legal in Terraform, Consul and Nomad)`,
  );
});

test("refuses a pool whose groups would be called like hosts of another", () => {
  expect(refusal(localWithPool("broker-1"))).toMatchInlineSnapshot(
    `"cluster.yaml:17: pools.broker-1: "broker-1" has a part that is a number, so that its groups could be mistaken for hosts of another pool; expected a name such as broker1"`,
  );
});

test("refuses a number between the words of a pool's name", () => {
  expect(refusal(localWithPool("broker-0-leave"))).toMatchInlineSnapshot(
    `"cluster.yaml:17: pools.broker-0-leave: "broker-0-leave" has a part that is a number, so that its groups could be mistaken for hosts of another pool; expected a name such as broker0-leave"`,
  );
});

test("refuses a pool that is called like a view", () => {
  expect(refusal(localWithPool("cluster"))).toMatchInlineSnapshot(
    `"cluster.yaml:17: pools.cluster: "cluster" is the name of a view; expected another name"`,
  );
});

test("refuses a pool's name of more than 40 characters", () => {
  expect(refusal(localWithPool("b".repeat(41)))).toMatchInlineSnapshot(
    `"cluster.yaml:17: pools.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb: "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" has 41 characters; expected at most 40"`,
  );
});

test("a pool's name that is not refused has one reading in every address", () => {
  const name = fc.stringMatching(/^[a-z0-9-]{1,12}$/);
  fc.assert(
    fc.property(name, fc.constantFrom(0, 1, 2), (pool, index) => {
      fc.pre(checkRules({ pools: { [pool]: {} } }).length === 0);
      expect(parseGroupName(groupName(pool, index))).toEqual({ pool, index });
    }),
  );
});

test("refuses a load balancer whose name AWS would not take", () => {
  const text = exampleWith(
    ["name: demo", "name: a-long-name-of-a-cluster"],
    ["  broker:", "  broker-of-messages:"],
  );
  expect(refusal(text)).toMatchInlineSnapshot(
    `"cluster.yaml:33: pools.broker-of-messages.loadBalancer: it would be called a-long-name-of-a-cluster-broker-of-messages, but AWS allows 32 characters and no "internal-" in front; choose another name for the pool or the cluster"`,
  );
});

test("refuses a load balancer whose name AWS keeps for itself", () => {
  expect(refusal(exampleWith(["name: demo", "name: internal"]))).toMatchInlineSnapshot(
    `"cluster.yaml:33: pools.broker.loadBalancer: it would be called internal-broker, but AWS allows 32 characters and no "internal-" in front; choose another name for the pool or the cluster"`,
  );
});

test("a long name is no matter without a load balancer", () => {
  const text = LOCAL_EXAMPLE.replace("name: demo", "name: a-long-name-of-a-cluster");
  expect(specOf(text.replace("  name-server:", "  servers-of-many-names:")).name).toBe(
    "a-long-name-of-a-cluster",
  );
});

test("refuses work that stays where there is no data volume to stay with", () => {
  const volumes =
    "    dataVolumes: # outlive the machine\n" + "      - { sizeGib: 100, type: gp3 }\n".repeat(3);
  expect(refusal(exampleWith([volumes, ""]))).toMatchInlineSnapshot(
    `"cluster.yaml:28: pools.broker.workload: got "stays" in a pool without dataVolumes; expected moves, or dataVolumes for the work to be bound to"`,
  );
});

const withServers = (hosts: string): string =>
  LOCAL_EXAMPLE.replace("  nomad-server:", `    hosts: ${hosts}\n  nomad-server:`);

test.each(["[1, 1, 1]", "[2, 2, 1]", "[1, 2, 2]", "[3, 2, 2]", "[1, 3, 3]"])("%s are servers", (hosts) => {
  expect(specOf(withServers(hosts)).pools["consul-server"].hosts).toEqual(JSON.parse(hosts));
});

test("refuses an even number of servers, and more than seven", () => {
  expect(["[2, 1, 1]", "[2, 2, 2]", "[3, 3, 3]"].map(withServers).map(refusal).join("\n"))
    .toMatchInlineSnapshot(`
   "cluster.yaml:11: pools.consul-server.hosts: got [2,1,1], 4 servers; expected 3, 5 or 7 in all, less than half of them in each group, such as [2, 2, 1]
   cluster.yaml:11: pools.consul-server.hosts: got [2,2,2], 6 servers; expected 3, 5 or 7 in all, less than half of them in each group, such as [2, 2, 1]
   cluster.yaml:11: pools.consul-server.hosts: got [3,3,3], 9 servers; expected 3, 5 or 7 in all, less than half of them in each group, such as [2, 2, 1]"
  `);
});

test("refuses a group with the majority of the servers", () => {
  expect(["[3, 1, 1]", "[1, 1, 3]"].map(withServers).map(refusal).join("\n")).toMatchInlineSnapshot(`
   "cluster.yaml:11: pools.consul-server.hosts: got [3,1,1], 5 servers of which one group has the majority; expected 3, 5 or 7 in all, less than half of them in each group, such as [2, 2, 1]
   cluster.yaml:11: pools.consul-server.hosts: got [1,1,3], 5 servers of which one group has the majority; expected 3, 5 or 7 in all, less than half of them in each group, such as [2, 2, 1]"
  `);
});

test("refuses images on aws that are no ids of machine images", () => {
  const text = exampleWith(["images: [ami-0aaa, ami-0aaa, ami-0aaa]", "images: [ami-0aaa, v1.2, ami-0AAA]"]);
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:15: pools.consul-server.images[1]: got "v1.2"; expected the id of a machine image, ami- and hexadecimal digits, such as ami-0aaa
   cluster.yaml:15: pools.consul-server.images[2]: got "ami-0AAA"; expected the id of a machine image, ami- and hexadecimal digits, such as ami-0aaa"
  `);
});

test("says one thing of an image that is wrong in two ways", () => {
  const text = exampleWith(["images: [ami-0aaa,", 'images: ["ami 0aaa",']);
  expect(refusal(text).split("\n")).toHaveLength(1);
});

test("an image has any name on the local platform", () => {
  expect(specOf(LOCAL_EXAMPLE.replace("ami-0aaa", "v1.2_rc-3")).pools["consul-server"].images[0]).toBe(
    "v1.2_rc-3",
  );
});

test("refuses a subnet for two groups", () => {
  expect(refusal(exampleWith(["subnet-0b1", "subnet-0a1"]))).toMatchInlineSnapshot(
    `"cluster.yaml:9: aws.subnetIds[1]: got "subnet-0a1" a second time; expected one subnet for each group, since groups in one zone go down together"`,
  );
});

test("refuses two subnets for three groups", () => {
  expect(refusal(exampleWith([", subnet-0c1]", "]"]))).toMatchInlineSnapshot(
    `"cluster.yaml:9: aws.subnetIds: got ["subnet-0a1","subnet-0b1"]; expected an array of exactly three, one subnet for each of the groups 0, 1 and 2"`,
  );
});

test("what has the wrong shape is left to the schema", () => {
  const values = fc.oneof(
    fc.jsonValue(),
    fc.record({ pools: fc.jsonValue(), aws: fc.jsonValue(), name: fc.jsonValue() }),
  );
  fc.assert(
    fc.property(values, (value) => {
      expect(Array.isArray(checkRules(value))).toBe(true);
    }),
  );
});

/** The example on the local platform with its last pool renamed. */
const localWithPool = (name: string): string => LOCAL_EXAMPLE.replace("  broker:", `  "${name}":`);
