import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { parseState } from "../../../clients/state/parse-state.js";
import type { Deployed } from "../../../cluster/deployed.js";
import { groupsInFlight } from "../../../cluster/pending.js";

describe("A state that Terraform recorded on aws", () => {
  const deployed = parse(recorded("aws"));

  test("says where it is from and whose it is", () => {
    expect(deployed.origin).toEqual({
      kind: "state",
      where: "demo.tfstate",
      serial: 2,
      lineage: "3daf4731-72b8-2daf-99b4-d5562fa6d7aa",
    });
    expect(deployed.cluster).toBe("demo");
  });

  test("holds its groups, with hosts, volumes and hooks", () => {
    expect([...deployed.groups.keys()].sort()).toEqual(["broker-0", "consul-server-0"]);
    expect(deployed.groups.get("broker-0")).toEqual({
      name: "broker-0",
      pool: "broker",
      index: 0,
      role: "client",
      hosts: [
        {
          number: 0,
          name: "broker-0-0",
          id: "i-6fd7ebf7ea50fcb07",
          image: "ami-03cf127a",
          instanceType: "t3.small",
          hash: "0123456789",
          subnetId: "subnet-61e926d80f930e143",
          keyName: "",
          instanceProfile: "",
          securityGroupIds: [],
          userData: "",
          configConsul: { host: "i-6fd7ebf7ea50fcb07", servers: "i-fbad9ec08db54f50c" },
        },
      ],
      volumes: [
        {
          ...{ host: 0, id: "vol-77d0c1d33443d6bb9", sizeGib: 100, type: "gp3", zone: "eu-west-1b" },
          ...{ iops: 3000, throughput: 0 },
        },
      ],
      revisions: [
        {
          number: 1,
          image: "ami-03cf127a",
          hash: "0123456789",
          generation: 0,
          cause: "3f2a1c0 first creation",
        },
      ],
      ready: { hosts: "i-6fd7ebf7ea50fcb07", hash: "0123456789", gate: "open" },
      leave: true,
      leaveFor: { hash: "0123456789", hosts: "broker-0-0" },
      tainted: [],
      deposed: [],
    });
    expect(deployed.groups.get("consul-server-0")).toMatchObject({ role: "consul-server", volumes: [] });
  });

  test("holds every managed address, those of modules and indexes included, and no data source", () => {
    expect([...deployed.addresses].sort()).toEqual([
      "aws_ebs_volume.broker-0-0-data",
      "aws_instance.broker-0-0",
      "aws_instance.consul-server-0-0",
      "aws_security_group.cluster[0]",
      "aws_subnet.a",
      "aws_volume_attachment.broker-0-0-data-attachment",
      "module.network.aws_vpc.main",
      "null_resource.broker-0-0-config-consul",
      "null_resource.broker-0-leave",
      "null_resource.broker-0-ready",
      "null_resource.consul-server-0-0-config-consul",
      "null_resource.consul-server-0-leave",
      "null_resource.consul-server-0-ready",
      "terraform_data.broker-0-revision",
      "terraform_data.consul-server-0-revision",
    ]);
  });

  test("is finished", () => {
    expect(groupsInFlight(deployed, "aws")).toEqual([]);
  });
});

describe("A state that Terraform recorded on local", () => {
  const deployed = parse(recorded("local"));

  test("holds the same parts, out of terraform_data", () => {
    const [first, second] = deployed.groups.get("broker-0")?.hosts ?? [];
    expect(deployed.groups.get("broker-0")).toEqual({
      name: "broker-0",
      pool: "broker",
      index: 0,
      role: "client",
      hosts: [
        {
          number: 0,
          name: "broker-0-0",
          id: first?.id,
          image: "img-1",
          instanceType: "small",
          hash: "0123456789",
          configConsul: { host: first?.id, servers: consulServer(deployed) },
        },
        {
          number: 1,
          name: "broker-0-1",
          id: second?.id,
          image: "img-1",
          instanceType: "small",
          hash: "0123456789",
          configConsul: { host: second?.id, servers: consulServer(deployed) },
        },
      ],
      volumes: [
        { host: 0, id: "872c7fa2-65ba-3840-8cfe-c7bf1cee24be", sizeGib: 100, type: "gp3" },
        { host: 1, id: "4acff7b2-6b93-5d04-dc14-5fcc569307a8", sizeGib: 100, type: "gp3" },
      ],
      revisions: [
        { number: 1, image: "img-1", hash: "0123456789", generation: 0, cause: "3f2a1c0 First creation" },
      ],
      ready: { hosts: `${String(first?.id)},${String(second?.id)}`, hash: "0123456789", gate: "open" },
      leave: true,
      leaveFor: { hash: "0123456789", hosts: "broker-0-0,broker-0-1" },
      tainted: [],
      deposed: [],
    });
    expect(first?.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("is finished", () => {
    expect(groupsInFlight(deployed, "local")).toEqual([]);
  });
});

describe("A state that a failed roll left behind", () => {
  const deployed = parse(recorded("local-cut-off"));
  const broker = deployed.groups.get("broker-0");

  test("tells what is tainted and what is still to be destroyed", () => {
    expect(broker?.tainted).toEqual(["terraform_data.broker-0-ready"]);
    expect(broker?.deposed).toEqual(["terraform_data.broker-0-1"]);
  });

  test("holds the new hosts, and the history of what has passed", () => {
    expect(broker?.hosts.map(({ name, image }) => [name, image])).toEqual([
      ["broker-0-0", "img-2"],
      ["broker-0-1", "img-2"],
    ]);
    expect(broker?.revisions.map(({ image }) => image)).toEqual(["img-1"]);
  });

  test("has one group in flight", () => {
    expect(groupsInFlight(deployed, "local").map(({ group }) => group)).toEqual(["broker-0"]);
  });
});

describe("Objects in a state", () => {
  test("an address that has only an old object is not there", () => {
    const deployed = parse(
      change(recorded("local"), (resource) => {
        for (const instance of named(resource, "broker-0-1")) instance["deposed"] = "97d3a158";
      }),
    );

    expect(deployed.groups.get("broker-0")?.hosts.map(({ name }) => name)).toEqual(["broker-0-0"]);
    expect(deployed.groups.get("broker-0")?.deposed).toEqual(["terraform_data.broker-0-1"]);
    expect(deployed.addresses.has("terraform_data.broker-0-1")).toBe(false);
  });

  test("a name with an index or in a module is no member of a group", () => {
    const deployed = parse(
      change(recorded("local"), (resource) => {
        for (const instance of named(resource, "broker-0-1")) instance["index_key"] = "a";
        if (resource["name"] === "broker-0-0") resource["module"] = "module.old";
      }),
    );

    expect(deployed.groups.get("broker-0")?.hosts).toEqual([]);
    expect([...deployed.addresses]).toEqual(
      expect.arrayContaining(['terraform_data.broker-0-1["a"]', "module.old.terraform_data.broker-0-0"]),
    );
  });

  test("a group that has left has no leave, and a machine that nothing was told of has no config_consul", () => {
    const deployed = parse(without(recorded("local"), "broker-0-leave", "broker-0-1-config-consul"));
    const broker = deployed.groups.get("broker-0");

    expect(broker?.leave).toBe(false);
    expect(broker?.hosts.map(({ configConsul }) => configConsul !== undefined)).toEqual([true, false]);
  });

  test("broker-1 and broker-10 do not mix", () => {
    const renamed = recorded("local")
      .replaceAll("broker-0-", "broker-1-")
      .replaceAll('"broker-0"', '"broker-1"');
    expect([...parse(renamed).groups.keys()].sort()).toEqual(["broker-1", "consul-server-0"]);
    expect([...parse(renamed.replaceAll("broker-1-", "broker-10-")).groups.keys()]).toEqual([
      "consul-server-0",
    ]);
  });

  test("more than ten hosts are in the order of their numbers", () => {
    const many = JSON.parse(recorded("local")) as { resources: Json[] };
    const hosts = many.resources.filter(({ name }) => name === "broker-0-0");
    for (const number of [10, 9, 2]) {
      many.resources.push(...hosts.map((host) => ({ ...host, name: `broker-0-${String(number)}` })));
    }
    const numbers = parse(JSON.stringify(many))
      .groups.get("broker-0")
      ?.hosts.map(({ number }) => number);
    expect(numbers).toEqual([0, 1, 2, 9, 10]);
  });
});

describe("An empty state", () => {
  test("has nothing deployed and belongs to no cluster", () => {
    const deployed = parse('{"version":4,"serial":0,"lineage":"","outputs":{},"resources":[]}');

    expect(deployed).toEqual({
      origin: { kind: "state", where: "demo.tfstate", serial: 0, lineage: "" },
      groups: new Map(),
      addresses: new Set(),
    });
  });

  test("is one that holds data sources only, too", () => {
    const deployed = parse(change(recorded("aws"), (resource) => (resource["mode"] = "data")));
    expect(deployed.groups.size).toBe(0);
    expect(deployed.cluster).toBeUndefined();
  });
});

describe("Rejections", () => {
  test("rejects an empty text", () => {
    expect(refusal("")).toMatchInlineSnapshot(
      `"IncompleteState: the state is empty: demo.tfstate has no content; restore it from its backup (cp demo.tfstate.backup demo.tfstate; a deploy then goes on from there), or remove it if nothing was ever deployed"`,
    );
    expect(refusal(" \n")).toBe(refusal(""));
  });

  test("rejects a text that is cut off", () => {
    expect(refusal(recorded("local").slice(0, 1000))).toMatchInlineSnapshot(
      `"IncompleteState: the state is not whole: demo.tfstate has 1000 characters that are no complete JSON document; restore it from its backup (cp demo.tfstate.backup demo.tfstate; a deploy then goes on from there)"`,
    );
  });

  test("rejects a newer format", () => {
    expect(refusal(recorded("local").replace('"version": 4', '"version": 5'))).toMatchInlineSnapshot(
      `"UserError: the state has a newer format: demo.tfstate has state format 5, this program reads 4; use a version of this program that reads it"`,
    );
  });

  test("rejects an older format", () => {
    expect(refusal('{"version":3,"serial":1,"lineage":"x","modules":[]}')).toMatchInlineSnapshot(
      `"UserError: the state has an old format: demo.tfstate has state format 3, this program reads 4; let Terraform 1.9 or newer write it once (terraform apply -refresh-only)"`,
    );
  });

  test("rejects an encrypted state", () => {
    const encrypted = {
      meta: { "key_provider.pbkdf2.main": "eyJzYWx0IjoiIn0=" },
      encrypted_data: "AAAA",
      encryption_version: "v0",
    };
    expect(refusal(JSON.stringify(encrypted))).toMatchInlineSnapshot(
      `"UserError: the state is encrypted by OpenTofu: demo.tfstate; keep it in s3 and let OpenTofu read it (TERRAFORM_BINARY_NAME=tofu, keys in TF_ENCRYPTION), or turn the encryption off: an encrypted file cannot be read directly"`,
    );
    expect(refusal(JSON.stringify({ serial: 1, lineage: "x", ...encrypted }))).toBe(
      refusal(JSON.stringify(encrypted)),
    );
  });

  test("rejects JSON that is no state", () => {
    expect(refusal("[]")).toMatchInlineSnapshot(
      `"UserError: not a Terraform state: demo.tfstate (missing or malformed: the whole document); name the state file in the spec's backend, or restore it from its backup"`,
    );
    expect(refusal('{"name":"demo"}')).toMatchInlineSnapshot(
      `"UserError: not a Terraform state: demo.tfstate (missing or malformed: lineage, resources, serial, version); name the state file in the spec's backend, or restore it from its backup"`,
    );
    expect(refusal('{"version":4,"serial":"1","lineage":"x","resources":[{}]}')).toMatchInlineSnapshot(
      `"UserError: not a Terraform state: demo.tfstate (missing or malformed: resources.0.instances, resources.0.mode, resources.0.name, resources.0.type, serial); name the state file in the spec's backend, or restore it from its backup"`,
    );
  });

  test("rejects the state of another cluster", () => {
    expect(refusal(recorded("aws"), "prod")).toMatchInlineSnapshot(
      `"UserError: the state belongs to another cluster: demo.tfstate holds "demo", the spec is "prod"; give each cluster a backend of its own, or put the name back"`,
    );
    expect(refusal(recorded("local"), "prod")).toBe(refusal(recorded("aws"), "prod"));
  });

  test("rejects a state into which two clusters have written", () => {
    const mixed = change(recorded("local"), (resource) => {
      for (const { attributes } of named(resource, "broker-0-revision")) {
        (attributes as { input: { value: Json } }).input.value["cluster"] = "prod";
      }
    });
    expect(refusal(mixed)).toMatchInlineSnapshot(
      `"UserError: the state belongs to another cluster: demo.tfstate holds "prod", the spec is "demo"; give each cluster a backend of its own, or put the name back"`,
    );
  });

  test("rejects a state of another program's resources", () => {
    const foreign = without(recorded("aws"), /broker|consul|cluster/);
    expect(refusal(foreign)).toMatchInlineSnapshot(
      `"UserError: the state belongs to something else: demo.tfstate holds aws_subnet.a, module.network.aws_vpc.main, nothing of cluster "demo"; correct the spec's backend"`,
    );
  });

  test("rejects the state of another platform", () => {
    const parsing = () =>
      parseState(recorded("local"), { where: "demo.tfstate", cluster: "demo", platform: "aws" });
    expect(messageOf(parsing)).toMatchInlineSnapshot(
      `"UserError: the state was made on another platform: demo.tfstate holds terraform_data.broker-0-0, terraform_data.broker-0-0-config-consul, terraform_data.broker-0-0-data and 15 more, the spec's platform is aws; put the platform back, or give the new cluster a backend of its own"`,
    );
  });

  test("rejects members that lack what this program writes, all at once", () => {
    const changed = change(recorded("aws"), (resource) => {
      for (const { attributes } of named(resource, "broker-0-0")) {
        const instance = attributes as { ami: unknown; tags: Json };
        instance.ami = null;
        delete instance.tags["rollout:template-hash"];
      }
      for (const instance of named(resource, "consul-server-0-ready")) delete instance["attributes"];
      for (const { attributes } of named(resource, "broker-0-0-data")) {
        if (resource["type"] === "aws_ebs_volume") (attributes as Json)["size"] = "100";
      }
    });
    expect(refusal(changed)).toMatchInlineSnapshot(
      `"UserError: the state lacks attributes that this program writes: demo.tfstate: aws_ebs_volume.broker-0-0-data (size), aws_instance.broker-0-0 (ami, tags.rollout:template-hash), null_resource.consul-server-0-ready (triggers); take what only has the name of a member out of the state (terraform state rm ADDRESS), or restore the state from its backup"`,
    );
  });
});

type Json = Record<string, unknown>;

function recorded(name: string): string {
  return readFileSync(new URL(`../fixtures/${name}.state.json`, import.meta.url), "utf8");
}

function parse(text: string, cluster = "demo"): Deployed {
  return parseState(text, { where: "demo.tfstate", cluster });
}

const refusal = (text: string, cluster = "demo"): string => messageOf(() => parse(text, cluster));

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return String(error);
  }
  throw new Error("it was not refused");
}

function change(text: string, edit: (resource: Json) => unknown): string {
  const state = JSON.parse(text) as { resources: Json[] };
  state.resources.forEach(edit);
  return JSON.stringify(state);
}

function without(text: string, ...names: (string | RegExp)[]): string {
  const state = JSON.parse(text) as { resources: Json[] };
  const gone = ({ name }: Json): boolean =>
    names.some((each) => (each instanceof RegExp ? each.test(String(name)) : each === name));
  return JSON.stringify({ ...state, resources: state.resources.filter((resource) => !gone(resource)) });
}

/** The instances of a resource if that is its name. */
function named(resource: Json, name: string): Json[] {
  return resource["name"] === name ? (resource["instances"] as Json[]) : [];
}

const consulServer = (deployed: Deployed): unknown => deployed.groups.get("consul-server-0")?.hosts[0]?.id;
