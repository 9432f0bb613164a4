import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { loadSpec } from "../../../cluster/yaml/load.js";
import { SpecError } from "../../../cluster/yaml/problem.js";
import { errorOf, EXAMPLE, exampleWith, LOCAL_EXAMPLE, rawSpec, refusal, specOf } from "./example.js";

test("the example is a spec, with defaults filled in", () => {
  const spec = specOf(EXAMPLE);
  expect(spec).toMatchObject({
    name: "demo",
    platform: "aws",
    protection: "on",
    rollout: { pendingGroups: "one", revisionHistoryLimit: 10 },
  });
  expect(Object.keys(spec.pools)).toEqual(["consul-server", "nomad-server", "name-server", "broker"]);
  expect(spec.pools["name-server"]).toMatchObject({ workload: "moves" });
});

test("what has a default may be left out", () => {
  const text = exampleWith(
    ["rollout: { pendingGroups: one } # one (default) | queue\n", ""],
    [", protocol: tcp, internal: true, deregistrationDelay: 60s", ""],
    [", type: gp3", ""],
  );
  expect(specOf(text)).toMatchObject({
    rollout: { pendingGroups: "one", revisionHistoryLimit: 10 },
    pools: {
      broker: {
        loadBalancer: { protocol: "tcp", internal: true, deregistrationDelay: "300s" },
        dataVolumes: [{ type: "gp3" }, { type: "gp3" }, { type: "gp3" }],
      },
    },
  });
});

test("the local platform needs no settings of its own", () => {
  expect(specOf(LOCAL_EXAMPLE).platform).toBe("local");
});

test("a state in a bucket is a backend", () => {
  const s3 = "{ type: s3, bucket: states, key: demo/terraform.tfstate, region: eu-west-1 }";
  expect(specOf(exampleWith([LOCAL_BACKEND, s3])).backend).toMatchObject({ type: "s3", bucket: "states" });
});

test("a byte order mark and CRLF are no matter", () => {
  expect(specOf(`\uFEFF${EXAMPLE.replaceAll("\n", "\r\n")}`)).toEqual(specOf(EXAMPLE));
});

test("JSON is YAML", () => {
  fc.assert(
    fc.property(rawSpec, (raw) => {
      expect(specOf(JSON.stringify(raw))).toMatchObject(raw);
    }),
    { numRuns: 20 },
  );
});

test("refuses 10 MB without reading them as YAML", () => {
  expect(errorOf(() => loadSpec(new Uint8Array(10_000_000).fill(97), "cluster.yaml"))).toMatchInlineSnapshot(
    `"cluster.yaml: the file has 10000000 bytes; a spec has at most 200000"`,
  );
});

test.each([
  ["an image of pixels", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["UTF-16", [0xff, 0xfe, 0x6e, 0x00, 0x61, 0x00]],
  ["zero bytes", [0x6e, 0x00, 0x61]],
])("refuses %s as no text", (_, bytes) => {
  expect(errorOf(() => loadSpec(Uint8Array.from(bytes), "cluster.yaml"))).toBe(
    "cluster.yaml: not a text file in UTF-8; a spec is YAML",
  );
});

test("refuses a list at the top", () => {
  expect(refusal("- name: demo\n")).toMatchInlineSnapshot(
    `"cluster.yaml: got [{"name":"demo"}]; expected a map with the keys name, platform, aws, backend, pools, rollout, protection, local"`,
  );
});

test("refuses a scalar at the top", () => {
  expect(refusal("42\n")).toMatchInlineSnapshot(
    `"cluster.yaml: got 42; expected a map with the keys name, platform, aws, backend, pools, rollout, protection, local"`,
  );
});

test("refuses a text at the top", () => {
  expect(refusal("just a few words\nin two lines\n")).toMatchInlineSnapshot(
    `"cluster.yaml: got "just a few words in two lines"; expected a map with the keys name, platform, aws, backend, pools, rollout, protection, local"`,
  );
});

test("refuses an empty map with all that is missing", () => {
  expect(refusal("{}\n")).toMatchInlineSnapshot(`
   "cluster.yaml: backend: missing; expected a map such as { type: local, path: terraform.demo.tfstate }
   cluster.yaml: name: missing; expected at most 24 lower-case letters, digits and single hyphens, starting with a letter (legal in Terraform, Consul and Nomad)
   cluster.yaml: platform: missing; expected aws or local
   cluster.yaml: pools: missing; expected a map of pools, consul-server and nomad-server among them"
  `);
});

test("refuses keys without a value", () => {
  const text = "name:\nplatform: aws\naws:\nbackend:\npools:\nrollout:\nprotection:\n";
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:1: name: got nothing; expected at most 24 lower-case letters, digits and single hyphens, starting with a letter (legal in Terraform, Consul and Nomad)
   cluster.yaml:3: aws: got nothing; expected a map with the keys region, vpcId, subnetIds, keyName, instanceProfile, securityGroupIds, imageOwners, providerVersion
   cluster.yaml:4: backend: got nothing; expected a map such as { type: local, path: terraform.demo.tfstate }
   cluster.yaml:5: pools: got nothing; expected a map of pools, consul-server and nomad-server among them
   cluster.yaml:6: rollout: got nothing; expected a map with the keys pendingGroups, order, interval, pauseAfter, manual, windows, onFailure, ownResources, revisionHistoryLimit
   cluster.yaml:7: protection: got nothing; expected on or off"
  `);
});

test("refuses scalars and lists where maps belong", () => {
  const text =
    "name: [demo]\nplatform: aws\naws: eu-west-1\nbackend: local\npools: []\nrollout: one\nprotection: false\n";
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:1: name: got ["demo"]; expected at most 24 lower-case letters, digits and single hyphens, starting with a letter (legal in Terraform, Consul and Nomad)
   cluster.yaml:3: aws: got "eu-west-1"; expected a map with the keys region, vpcId, subnetIds, keyName, instanceProfile, securityGroupIds, imageOwners, providerVersion
   cluster.yaml:4: backend: got "local"; expected a map such as { type: local, path: terraform.demo.tfstate }
   cluster.yaml:5: pools: got []; expected a map of pools, consul-server and nomad-server among them
   cluster.yaml:6: rollout: got "one"; expected a map with the keys pendingGroups, order, interval, pauseAfter, manual, windows, onFailure, ownResources, revisionHistoryLimit
   cluster.yaml:7: protection: got false; expected on or off"
  `);
});

test("refuses scalars and lists for pools", () => {
  const text = exampleWith([
    "pools: #",
    "pools:\n  consul-servers: ami-0aaa\n  spare: [ami-0aaa]\n  none:\n  #",
  ]);
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:14: pools.consul-servers: got "ami-0aaa"; expected a map with the keys images, instanceTypes, rootVolumes, instanceProfiles, securityGroupIds, tags, userData, generations, hosts, maxUnavailable, maxSurge, dataVolumes, workload, loadBalancer, retire, drain, ready, bake, steps
   cluster.yaml:15: pools.spare: got ["ami-0aaa"]; expected a map with the keys images, instanceTypes, rootVolumes, instanceProfiles, securityGroupIds, tags, userData, generations, hosts, maxUnavailable, maxSurge, dataVolumes, workload, loadBalancer, retire, drain, ready, bake, steps
   cluster.yaml:16: pools.none: got nothing; expected a map with the keys images, instanceTypes, rootVolumes, instanceProfiles, securityGroupIds, tags, userData, generations, hosts, maxUnavailable, maxSurge, dataVolumes, workload, loadBalancer, retire, drain, ready, bake, steps"
  `);
});

test("refuses an unknown platform beside all else that is wrong", () => {
  const text = exampleWith(["platform: aws", "platform: gcp"], ["hosts: [3, 3, 3]", "hosts: [3, 3]"]);
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:5: platform: got "gcp"; expected aws or local
   cluster.yaml:26: pools.broker.hosts: got [3,3]; expected an array of exactly three, one number of hosts for each of the groups 0, 1 and 2"
  `);
});

test("refuses a spec without a platform", () => {
  expect(refusal(exampleWith(["platform: aws #", "#"]))).toMatchInlineSnapshot(
    `"cluster.yaml: platform: missing; expected aws or local"`,
  );
});

test("refuses aws without its settings", () => {
  expect(refusal(LOCAL_EXAMPLE.replace("platform: local", "platform: aws"))).toMatchInlineSnapshot(
    `"cluster.yaml: aws: missing; expected a map with the keys region, vpcId, subnetIds, keyName, instanceProfile, securityGroupIds, imageOwners, providerVersion"`,
  );
});

test("refuses settings of aws on the local platform, with the reason", () => {
  expect(refusal(exampleWith(["platform: aws", "platform: local"]))).toMatchInlineSnapshot(
    `"cluster.yaml:6: aws: not allowed: it is for platform: aws"`,
  );
});

describe("local", () => {
  const withLocal = (settings: string): string =>
    LOCAL_EXAMPLE.replace("platform: local\n", `platform: local\nlocal: ${settings}\n`);

  test("says what runs on the machines, and how fast", () => {
    expect(specOf(withLocal("{ agents: simulated, speed: 20 }"))).toMatchObject({
      local: { agents: "simulated", speed: 20 },
    });
    expect(specOf(withLocal("{ agents: real }"))).toMatchObject({ local: { agents: "real", speed: 1 } });
    expect(specOf(withLocal("{}"))).toMatchObject({ local: { agents: "none", speed: 1 } });
  });

  test("refuses agents and speeds that there are not", () => {
    expect(refusal(withLocal("{ agents: fake, speed: 0 }"))).toMatchInlineSnapshot(`
     "cluster.yaml:6: local.agents: got "fake"; expected none, simulated or real
     cluster.yaml:6: local.speed: got 0; expected a whole number from 1 to 1000"
    `);
    expect(refusal(withLocal("{ agents: simulated, speed: 1001 }"))).toMatchInlineSnapshot(
      `"cluster.yaml:6: local.speed: got 1001; expected a whole number from 1 to 1000"`,
    );
    expect(refusal(withLocal("{ agents: simulated, sped: 2 }"))).toMatchInlineSnapshot(
      `"cluster.yaml:6: local.sped: unknown key; did you mean speed?"`,
    );
  });

  test("refuses a speed for what lives in real time", () => {
    expect(refusal(withLocal("{ agents: real, speed: 20 }"))).toMatchInlineSnapshot(
      `"cluster.yaml:6: local.speed: got 20; expected 1, or agents: simulated; nothing else can live faster than real time"`,
    );
  });

  test("is refused on aws, with the reason", () => {
    expect(
      refusal(exampleWith(["backend:", "local: { agents: simulated }\nbackend:"])),
    ).toMatchInlineSnapshot(`"cluster.yaml:12: local: not allowed: it is for platform: local"`);
  });
});

test("refuses unknown keys with what was probably meant", () => {
  const text = exampleWith(
    ["rollout:", "rollouts:"],
    ["keyName: ops", "keyname: ops"],
    ["    hosts:", "    host:"],
    ["workload: stays", "wrokload: stays"],
    ["{ sizeGib: 100,", "{ size: 100,"],
    ["port: 9876", "prot: 9876"],
  );
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:10: aws.keyname: unknown key; did you mean keyName?
   cluster.yaml:26: pools.broker.host: unknown key; did you mean hosts?
   cluster.yaml:29: pools.broker.dataVolumes[0].size: unknown key; did you mean sizeGib?
   cluster.yaml:29: pools.broker.dataVolumes[0].sizeGib: missing; expected a whole number from 1 to 16384
   cluster.yaml:32: pools.broker.wrokload: unknown key; did you mean workload?
   cluster.yaml:33: pools.broker.loadBalancer.port: missing; expected a whole number from 1 to 65535
   cluster.yaml:33: pools.broker.loadBalancer.prot: unknown key; did you mean port?
   cluster.yaml:34: rollouts: unknown key; did you mean rollout?"
  `);
});

test("refuses unknown keys that resemble none with the list of those that are known", () => {
  const text = exampleWith(["    hosts:", "    colour: red\n    hosts:"]) + "owner: me\n";
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:26: pools.broker.colour: unknown key; known here: images, instanceTypes, rootVolumes, instanceProfiles, securityGroupIds, tags, userData, generations, hosts, maxUnavailable, maxSurge, dataVolumes, workload, loadBalancer, retire, drain, ready, bake, steps
   cluster.yaml:36: owner: unknown key; known here: name, platform, aws, backend, pools, rollout, protection"
  `);
});

test("refuses keys of the other backend with those of this one", () => {
  expect(refusal(exampleWith([LOCAL_BACKEND, "{ type: local, path: x, bucket: y }"]))).toMatchInlineSnapshot(
    `"cluster.yaml:12: backend.bucket: unknown key; known here: type, path"`,
  );
});

test("refuses names of an object's prototype as keys", () => {
  const text = exampleWith([
    "    hosts:",
    "    __proto__: { hosts: [1, 1, 1] }\n    constructor: x\n    hosts:",
  ]);
  expect(refusal(`${text}__proto__: { name: other }\ntoString: x\n`)).toMatchInlineSnapshot(`
   "cluster.yaml:26: pools.broker.__proto__: unknown key; known here: images, instanceTypes, rootVolumes, instanceProfiles, securityGroupIds, tags, userData, generations, hosts, maxUnavailable, maxSurge, dataVolumes, workload, loadBalancer, retire, drain, ready, bake, steps
   cluster.yaml:27: pools.broker.constructor: unknown key; known here: images, instanceTypes, rootVolumes, instanceProfiles, securityGroupIds, tags, userData, generations, hosts, maxUnavailable, maxSurge, dataVolumes, workload, loadBalancer, retire, drain, ready, bake, steps
   cluster.yaml:37: __proto__: unknown key; known here: name, platform, aws, backend, pools, rollout, protection
   cluster.yaml:38: toString: unknown key; known here: name, platform, aws, backend, pools, rollout, protection"
  `);
});

test("keys of the prototype change no object", () => {
  refusal(`${EXAMPLE}__proto__: { polluted: true }\nconstructor: { prototype: { polluted: true } }\n`);
  expect("polluted" in {}).toBe(false);
});

test("refuses keys that would garble the message", () => {
  expect(refusal(`"a.b\\n\\e[31m": 1\n"": 2\n${EXAMPLE}`)).toMatchInlineSnapshot(`
   "cluster.yaml:1: ["a.b\\n\\u001b[31m"]: unknown key; known here: name, platform, aws, backend, pools, rollout, protection
   cluster.yaml:2: [""]: unknown key; known here: name, platform, aws, backend, pools, rollout, protection"
  `);
});

test("refuses an array of two", () => {
  expect(refusal(exampleWith(["hosts: [3, 3, 3]", "hosts: [3, 3]"]))).toMatchInlineSnapshot(
    `"cluster.yaml:26: pools.broker.hosts: got [3,3]; expected an array of exactly three, one number of hosts for each of the groups 0, 1 and 2"`,
  );
});

test("refuses an array of four", () => {
  expect(refusal(exampleWith(["hosts: [3, 3, 3]", "hosts: [3, 3, 3, 3]"]))).toMatchInlineSnapshot(
    `"cluster.yaml:26: pools.broker.hosts: got [3,3,3,3]; expected an array of exactly three, one number of hosts for each of the groups 0, 1 and 2"`,
  );
});

test("refuses an empty array", () => {
  expect(refusal(exampleWith(["hosts: [3, 3, 3]", "hosts: []"]))).toMatchInlineSnapshot(
    `"cluster.yaml:26: pools.broker.hosts: got []; expected an array of exactly three, one number of hosts for each of the groups 0, 1 and 2"`,
  );
});

test("refuses one value for three groups, with the reason", () => {
  expect(refusal(exampleWith(["hosts: [3, 3, 3]", "hosts: 3"]))).toMatchInlineSnapshot(
    `"cluster.yaml:26: pools.broker.hosts: got 3; expected an array of exactly three, one number of hosts for each of the groups 0, 1 and 2; a single value would change three groups at once"`,
  );
});

test("refuses a map for three groups", () => {
  expect(refusal(exampleWith(["hosts: [3, 3, 3]", "hosts: { 0: 3, 1: 3, 2: 3 }"]))).toMatchInlineSnapshot(
    `"cluster.yaml:26: pools.broker.hosts: got {"0":3,"1":3,"2":3}; expected an array of exactly three, one number of hosts for each of the groups 0, 1 and 2; a single value would change three groups at once"`,
  );
});

test("refuses a pool without images", () => {
  const text = exampleWith([
    "consul-server:\n    images: [ami-0aaa, ami-0aaa, ami-0aaa]\n",
    "consul-server:\n",
  ]);
  expect(refusal(text)).toMatchInlineSnapshot(
    `"cluster.yaml:14: pools.consul-server.images: missing; expected an array of exactly three, one image for each of the groups 0, 1 and 2"`,
  );
});

test("refuses a spec without servers", () => {
  const text = exampleWith(["  consul-server:", "  consul:"], ["  nomad-server:", "  nomad:"]);
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:13: pools.consul-server: missing; expected a map with the keys images, instanceTypes, rootVolumes, instanceProfiles, securityGroupIds, tags, userData, generations, hosts, ready, bake, steps
   cluster.yaml:13: pools.nomad-server: missing; expected a map with the keys images, instanceTypes, rootVolumes, instanceProfiles, securityGroupIds, tags, userData, generations, hosts, ready, bake, steps"
  `);
});

test("refuses images that are no text", () => {
  expect(refusal(exampleWith([THREE_IMAGES, "images: [0, true, 2026-01-01]"]))).toMatchInlineSnapshot(`
   "cluster.yaml:15: pools.consul-server.images[0]: got 0; expected the id of an image: at most 128 letters, digits, dots, underscores and hyphens, such as ami-0aaa
   cluster.yaml:15: pools.consul-server.images[1]: got true; expected the id of an image: at most 128 letters, digits, dots, underscores and hyphens, such as ami-0aaa
   cluster.yaml:15: pools.consul-server.images[2]: got "2026-01-01"; expected the id of a machine image, ami- and hexadecimal digits, such as ami-0aaa"
  `);
});

test("refuses an image name with a space on any platform", () => {
  const text = LOCAL_EXAMPLE.replace(THREE_IMAGES, 'images: [ami-0aaa, "ami 0aaa", ami/0aaa]');
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:9: pools.consul-server.images[1]: got "ami 0aaa"; expected the id of an image: at most 128 letters, digits, dots, underscores and hyphens, such as ami-0aaa
   cluster.yaml:9: pools.consul-server.images[2]: got "ami/0aaa"; expected the id of an image: at most 128 letters, digits, dots, underscores and hyphens, such as ami-0aaa"
  `);
});

test("refuses numbers of hosts that are texts, fractions, too small or too large", () => {
  expect(refusal(exampleWith(["hosts: [3, 3, 3]", 'hosts: ["3", 2.5, 0]']))).toMatchInlineSnapshot(`
   "cluster.yaml:26: pools.broker.hosts[0]: got "3"; expected a whole number from 1 to 1200
   cluster.yaml:26: pools.broker.hosts[1]: got 2.5; expected a whole number from 1 to 1200
   cluster.yaml:26: pools.broker.hosts[2]: got 0; expected a whole number from 1 to 1200"
  `);
});

test("refuses numbers that are none", () => {
  expect(refusal(exampleWith(["hosts: [3, 3, 3]", "hosts: [.nan, .inf, 1e400]"]))).toMatchInlineSnapshot(`
   "cluster.yaml:26: pools.broker.hosts[0]: got NaN; expected a whole number from 1 to 1200
   cluster.yaml:26: pools.broker.hosts[1]: got Infinity; expected a whole number from 1 to 1200
   cluster.yaml:26: pools.broker.hosts[2]: got Infinity; expected a whole number from 1 to 1200"
  `);
});

test("refuses generations below zero", () => {
  expect(refusal(exampleWith(["generations: [0, 0, 0]", "generations: [-1, 0, 0.5]"])))
    .toMatchInlineSnapshot(`
   "cluster.yaml:27: pools.broker.generations[0]: got -1; expected a whole number from 0 to 1000000
   cluster.yaml:27: pools.broker.generations[2]: got 0.5; expected a whole number from 0 to 1000000"
  `);
});

test("refuses instance types that are none", () => {
  const text = exampleWith(["[m6i.large, m6i.large, m6i.large]", '[M6I.large, 6, "m6i large"]']);
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:25: pools.broker.instanceTypes[0]: got "M6I.large"; expected an instance type, such as m6i.large
   cluster.yaml:25: pools.broker.instanceTypes[1]: got 6; expected an instance type, such as m6i.large
   cluster.yaml:25: pools.broker.instanceTypes[2]: got "m6i large"; expected an instance type, such as m6i.large"
  `);
});

test("refuses data volumes of a wrong size or type", () => {
  const text = exampleWith(["{ sizeGib: 100, type: gp3 }", "{ sizeGib: 100GiB, type: nvme }"]);
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:29: pools.broker.dataVolumes[0].sizeGib: got "100GiB"; expected a whole number from 1 to 16384
   cluster.yaml:29: pools.broker.dataVolumes[0].type: got "nvme"; expected gp3, gp2, st1 or sc1"
  `);
});

test("refuses a data volume that is only a number", () => {
  expect(refusal(exampleWith(["- { sizeGib: 100, type: gp3 }", "- 100"]))).toMatchInlineSnapshot(
    `"cluster.yaml:29: pools.broker.dataVolumes[0]: got 100; expected a map with the keys sizeGib, type, iops, throughput"`,
  );
});

test("refuses more than three servers in a group, and none", () => {
  const text = exampleWith(["  nomad-server:", "    hosts: [4, 0, 1]\n  nomad-server:"]);
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:17: pools.consul-server.hosts[0]: got 4; expected a whole number from 1 to 3
   cluster.yaml:17: pools.consul-server.hosts[1]: got 0; expected a whole number from 1 to 3"
  `);
});

test("refuses what only client pools have in a pool of servers", () => {
  const only = "    dataVolumes: []\n    workload: stays\n    loadBalancer: { port: 80 }\n";
  expect(refusal(exampleWith(["  nomad-server:", `${only}  nomad-server:`]))).toMatchInlineSnapshot(`
   "cluster.yaml:17: pools.consul-server.dataVolumes: not allowed: data volumes are for client pools; a new server gets its data from the others
   cluster.yaml:18: pools.consul-server.workload: not allowed: it is for client pools; servers run no work
   cluster.yaml:19: pools.consul-server.loadBalancer: not allowed: it is for client pools"
  `);
});

test.each(["0s", "90s", "15m", "1h", "3600s"])("a deregistration delay of %s is one", (delay) => {
  const spec = specOf(exampleWith(["deregistrationDelay: 60s", `deregistrationDelay: ${delay}`]));
  expect(spec.pools["broker"]?.loadBalancer?.deregistrationDelay).toBe(delay);
});

test.each([
  ["60", "60"],
  ["1d", '"1d"'],
  ["2h", '"2h"'],
  ["3601s", '"3601s"'],
  ["1h30m", '"1h30m"'],
  ["-5s", '"-5s"'],
  ["5 m", '"5 m"'],
  ["5M", '"5M"'],
  ["1.5h", '"1.5h"'],
])("refuses a deregistration delay of %s", (delay, shown) => {
  expect(refusal(exampleWith(["deregistrationDelay: 60s", `deregistrationDelay: ${delay}`]))).toBe(
    `cluster.yaml:33: pools.broker.loadBalancer.deregistrationDelay: got ${shown}; expected a duration from 0s to 1h: a whole number and s, m or h, such as 90s, 15m or 1h`,
  );
});

test("refuses a load balancer with a wrong port, protocol and reach", () => {
  const text = exampleWith([
    "port: 9876, protocol: tcp, internal: true",
    "port: 65536, protocol: http, internal: 1",
  ]);
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:33: pools.broker.loadBalancer.internal: got 1; expected true or false
   cluster.yaml:33: pools.broker.loadBalancer.port: got 65536; expected a whole number from 1 to 65535
   cluster.yaml:33: pools.broker.loadBalancer.protocol: got "http"; expected tcp or udp"
  `);
});

test("refuses a public load balancer that does not say for whom", () => {
  expect(refusal(exampleWith(["internal: true", "internal: false"]))).toMatchInlineSnapshot(
    `"cluster.yaml:33: pools.broker.loadBalancer.sourceCidrs: missing; expected the ranges that may connect, since internal is false"`,
  );
});

test("refuses a load balancer that is open to the whole world", () => {
  const text = exampleWith(["internal: true", "internal: false, sourceCidrs: [0.0.0.0/0, 10.0.0.0, 10]"]);
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:33: pools.broker.loadBalancer.sourceCidrs[0]: got "0.0.0.0/0"; expected a range smaller than the whole world (/0)
   cluster.yaml:33: pools.broker.loadBalancer.sourceCidrs[1]: got "10.0.0.0"; expected an IPv4 range, such as 10.0.0.0/8
   cluster.yaml:33: pools.broker.loadBalancer.sourceCidrs[2]: got 10; expected an IPv4 range, such as 10.0.0.0/8"
  `);
});

test("refuses an empty list of ranges", () => {
  expect(refusal(exampleWith(["internal: true", "sourceCidrs: []"]))).toMatchInlineSnapshot(
    `"cluster.yaml:33: pools.broker.loadBalancer.sourceCidrs: got []; expected at least one IPv4 range, such as [10.0.0.0/8]"`,
  );
});

test("refuses a Consul backend, with the reason", () => {
  expect(refusal(exampleWith([LOCAL_BACKEND, "{ type: consul, path: demo }"]))).toMatchInlineSnapshot(
    `"cluster.yaml:12: backend.type: got "consul"; expected local or s3; a Consul backend inside the cluster that it describes is no choice: the state would be out of reach whenever it is needed"`,
  );
});

test("refuses another backend", () => {
  expect(refusal(exampleWith([LOCAL_BACKEND, "{ type: gcs, bucket: demo }"]))).toMatchInlineSnapshot(
    `"cluster.yaml:12: backend.type: got "gcs"; expected local or s3"`,
  );
});

test("refuses a backend without a type", () => {
  expect(refusal(exampleWith([LOCAL_BACKEND, "{ path: demo.tfstate }"]))).toMatchInlineSnapshot(
    `"cluster.yaml:12: backend.type: missing; expected local or s3"`,
  );
});

test("refuses a bucket without key and region", () => {
  expect(refusal(exampleWith([LOCAL_BACKEND, '{ type: s3, bucket: "", usePathStyle: yes }'])))
    .toMatchInlineSnapshot(`
   "cluster.yaml:12: backend.bucket: got ""; expected the name of a bucket, or the ARN of an access point
   cluster.yaml:12: backend.key: missing; expected the key of the state in the bucket, such as demo/terraform.tfstate, one line without \${ and %{
   cluster.yaml:12: backend.region: missing; expected the bucket's region, such as eu-west-1
   cluster.yaml:12: backend.usePathStyle: got "yes"; expected true or false"
  `);
});

test("refuses settings of aws that are none", () => {
  const text = exampleWith(
    ["region: eu-west-1", "region: Ireland"],
    ["vpcId: vpc-0a1", "vpcId: 0a1"],
    ["subnet-0b1", "eu-west-1b"],
    ["keyName: ops", 'keyName: ""\n  securityGroupIds: [default]\n  providerVersion: ">= 5"'],
    ["instanceProfile: demo-agents", "instanceProfile: 7"],
  );
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:7: aws.region: got "Ireland"; expected a region, such as eu-west-1
   cluster.yaml:8: aws.vpcId: got "0a1"; expected the id of a VPC, such as vpc-0a1
   cluster.yaml:9: aws.subnetIds[1]: got "eu-west-1b"; expected the id of a subnet, such as subnet-0a1
   cluster.yaml:10: aws.keyName: got ""; expected the name of a key pair, one line without \${ and %{
   cluster.yaml:11: aws.securityGroupIds[0]: got "default"; expected the id of a security group, such as sg-0a1
   cluster.yaml:12: aws.providerVersion: got ">= 5"; expected an exact version, such as 6.25.0; a range could give two views two providers
   cluster.yaml:13: aws.instanceProfile: got 7; expected the name of an instance profile, without its path"
  `);
});

test("refuses security groups that are no list", () => {
  expect(refusal(exampleWith(["keyName: ops", "securityGroupIds: sg-0a1"]))).toMatchInlineSnapshot(
    `"cluster.yaml:10: aws.securityGroupIds: got "sg-0a1"; expected a list of ids of security groups, such as [sg-0a1]"`,
  );
});

test("takes owners of images that are accounts or aliases, and refuses others", () => {
  const owners = (list: string) => exampleWith(["keyName: ops", `imageOwners: ${list}`]);
  expect(specOf(owners('["123456789012", amazon]'))).toMatchObject({
    aws: { imageOwners: ["123456789012", "amazon"] },
  });
  expect([refusal(owners("[123456789012, Me]")), refusal(owners("amazon"))].join("\n"))
    .toMatchInlineSnapshot(`
   "cluster.yaml:10: aws.imageOwners[0]: got 123456789012; expected "123456789012", or amazon
   cluster.yaml:10: aws.imageOwners[1]: got "Me"; expected "123456789012", or amazon
   cluster.yaml:10: aws.imageOwners: got "amazon"; expected a list, such as [amazon]"
  `);
});

test("refuses own resources that are no list of construct paths", () => {
  const own = (paths: string): string =>
    exampleWith(["{ pendingGroups: one }", `{ ownResources: ${paths} }`]);
  expect(refusal(own("[/dns, dns/, 7]"))).toMatchInlineSnapshot(`
   "cluster.yaml:34: rollout.ownResources[0]: got "/dns"; expected a construct path without the view's name, such as dns/zone
   cluster.yaml:34: rollout.ownResources[1]: got "dns/"; expected a construct path without the view's name, such as dns/zone
   cluster.yaml:34: rollout.ownResources[2]: got 7; expected a construct path without the view's name, such as dns/zone"
  `);
  expect(refusal(own("dns/zone"))).toMatchInlineSnapshot(
    `"cluster.yaml:34: rollout.ownResources: got "dns/zone"; expected a list of construct paths, such as [dns/zone]"`,
  );
});

test("refuses rollout settings that are none", () => {
  const text = exampleWith(["{ pendingGroups: one }", "{ pendingGroups: two, revisionHistoryLimit: 0 }"]);
  expect(refusal(`${text}protection: no\n`)).toMatchInlineSnapshot(`
   "cluster.yaml:34: rollout.pendingGroups: got "two"; expected one or queue
   cluster.yaml:34: rollout.revisionHistoryLimit: got 0; expected a whole number from 1 to 100
   cluster.yaml:35: protection: got "no"; expected on or off"
  `);
});

test.each(["Demo", "demo_1", "1demo", "demo-", "d--d", "a-name-of-twenty-five-char"])(
  "refuses %s as the cluster's name",
  (name) => {
    expect(refusal(LOCAL_EXAMPLE.replace("name: demo", `name: ${name}`))).toContain(
      `cluster.yaml:4: name: got "${name}"; expected at most 24 lower-case letters, digits and single hyphens, starting with a letter (legal in Terraform, Consul and Nomad)`,
    );
  },
);

test("refuses more than fits a screen with the rest counted", () => {
  const keys = Array.from({ length: 80 }, (_, number) => `unknown${String(number)}: 1\n`).join("");
  expect(refusal(`${EXAMPLE}${keys}`).split("\n").slice(-2)).toMatchInlineSnapshot(`
   [
     "cluster.yaml:84: unknown49: unknown key; known here: name, platform, aws, backend, pools, rollout, protection",
     "cluster.yaml: and 30 more",
   ]
  `);
});

test("whatever the bytes are, the answer is a spec or a clear error", () => {
  const lines = EXAMPLE.split("\n");
  const mutilated = fc
    .tuple(fc.nat(lines.length - 1), fc.nat(90), fc.nat(4), fc.string({ maxLength: 4 }))
    .map(([line, column, length, text]) => {
      const old = lines[line] ?? "";
      return lines.with(line, old.slice(0, column) + text + old.slice(column + length)).join("\n");
    });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.oneof(fc.string(), mutilated).map((text) => new TextEncoder().encode(text)),
  );
  // What a message of the YAML library may end with.
  const examples = ["!.", "%.", "a: |.", '"\\.'].map((text): [Uint8Array] => [
    new TextEncoder().encode(text),
  ]);
  fc.assert(fc.property(bytes, isSpecOrClearError), { numRuns: 300, examples });
});

const LOCAL_BACKEND = "{ type: local, path: terraform.demo.tfstate }";
const THREE_IMAGES = "images: [ami-0aaa, ami-0aaa, ami-0aaa]";

function isSpecOrClearError(bytes: Uint8Array): void {
  try {
    loadSpec(bytes, "cluster.yaml");
  } catch (error) {
    expect(error).toBeInstanceOf(SpecError);
    for (const line of (error as SpecError).message.split("\n")) {
      expect(line).toMatch(/^cluster\.yaml(:\d+)?: \S.*[^.]$/);
    }
  }
}

test.each([
  ["st1", 124, false],
  ["st1", 125, true],
  ["sc1", 1, false],
  ["sc1", 125, true],
  ["gp2", 1, true],
  ["gp3", 1, true],
])("a volume of type %s has %d GiB only where EC2 makes it: %p", (type, sizeGib, isMade) => {
  const text = exampleWith(["{ sizeGib: 100, type: gp3 }", `{ sizeGib: ${String(sizeGib)}, type: ${type} }`]);
  if (isMade) expect(loadSpec(text, "cluster.yaml").name).toBe("demo");
  else
    expect(refusal(text)).toBe(
      `cluster.yaml:29: pools.broker.dataVolumes[0].sizeGib: got ${String(sizeGib)} for a volume of type "${type}"; expected 125 to 16384, or type gp3 or gp2`,
    );
});

test("refuses performance that EC2 does not give a volume, and another key", () => {
  const volumes = (first: string): string => exampleWith(["{ sizeGib: 100, type: gp3 }", first]);
  expect(refusal(volumes("{ sizeGib: 10, iops: 6000, throughput: 1000, kmsKeyId: a }")))
    .toMatchInlineSnapshot(`
   "cluster.yaml:29: pools.broker.dataVolumes[0].iops: got 6000 for 10 GiB; expected at most 5000, 500 for each GiB
   cluster.yaml:29: pools.broker.dataVolumes[0].kmsKeyId: not allowed: a volume keeps the key that it was made with, and a new one gets EBS's default key of account and region: set that, add a pool, and retire this one once its work has moved"
  `);
  expect(refusal(volumes("{ sizeGib: 500, type: st1, iops: 3000 }"))).toMatchInlineSnapshot(
    `"cluster.yaml:29: pools.broker.dataVolumes[0].iops: got it for a volume of type "st1"; expected type gp3, or no iops"`,
  );
  expect(refusal(volumes("{ sizeGib: 500, throughput: 800 }"))).toMatchInlineSnapshot(
    `"cluster.yaml:29: pools.broker.dataVolumes[0].throughput: got 800 with iops 3000; expected at most 750, a quarter of iops"`,
  );
  expect(refusal(volumes("{ sizeGib: 500, iops: 16001, throughput: 124 }"))).toMatchInlineSnapshot(`
   "cluster.yaml:29: pools.broker.dataVolumes[0].iops: got 16001; expected a whole number from 3000 to 16000
   cluster.yaml:29: pools.broker.dataVolumes[0].throughput: got 124; expected a whole number from 125 to 1000"
  `);
  expect(specOf(volumes("{ sizeGib: 4, iops: 3000, throughput: 750 }")).platform).toBe("aws");
});
