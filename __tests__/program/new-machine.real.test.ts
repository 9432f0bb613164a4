import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { LogWriter } from "../../clients/run-store/run-log.js";
import { deployedFromSpec, type Deployed } from "../../cluster/deployed.js";
import { findGroup } from "../../cluster/find-group.js";
import type { Group } from "../../cluster/groups.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { refuseNewMachine, warnOfMachines } from "../../program/new-machine.js";
import { exampleWith, specOf } from "../cluster/yaml/example.js";
import { query } from "../deploy/cloud.js";
import { AwsFront } from "../fleet/aws-front.js";
import { withEnvironment } from "../support/aws-environment.js";
import { describeReal } from "../support/environment.js";
import { MemoryStore } from "../support/memory-store.js";
import { startMoto, type Moto } from "../support/moto.js";
import type { Network } from "../support/moto-ec2.js";
import { withGroup } from "../support/fixtures.js";
import { failure } from "../support/refusal.js";
import { textAt } from "../support/xml.js";

describeReal("What EC2 has against a new machine, asked of moto", ["moto"], () => {
  let moto: Moto;
  let front: AwsFront;
  let network: Network;
  let store: MemoryStore;
  const env: Record<string, string> = {};

  beforeAll(async () => {
    moto = await startMoto({ strangers: { "ami-0e0e": "999999999999" }, images: ["ami-0aaa"] });
    front = new AwsFront(moto, () => undefined);
    Object.assign(env, moto.env, { AWS_ENDPOINT_URL: await front.start() });
    network = await moto.ec2.createNetwork();
    await moto.ec2.createInstanceProfile("demo-agents");
  });
  withEnvironment(() => env);
  beforeEach(() => {
    store = new MemoryStore();
  });
  afterEach(() => {
    front.refusals.clear();
    front.asked.clear();
  });
  afterAll(async () => {
    front.stop();
    await moto.stop();
  });

  const specWith = (...edits: readonly (readonly [string, string])[]): Spec =>
    specOf(
      exampleWith(
        ["vpc-0a1", network.vpcId],
        ["subnet-0a1, subnet-0b1, subnet-0c1", network.subnetIds.join(", ")],
        ...edits,
      ).replace(
        /^ {4}images: .*$/gm,
        "$&\n    rootVolumes: [{ sizeGib: 8 }, { sizeGib: 8 }, { sizeGib: 8 }]",
      ),
    );
  const refuse = (spec: Spec, change: Partial<Group> & { deployed?: Deployed } = {}): Promise<string[]> => {
    const { deployed = deployedFromSpec(spec, "HEAD", new Set()), ...other } = change;
    const group = { ...findGroup(spec, "broker-0"), hash: "new", ...other };
    return refuseNewMachine({ spec, deployed }, group, store);
  };

  test("nothing, where all of it is there: a dry run starts no machine", async () => {
    expect(await refuse(specWith())).toEqual([]);
    expect(front.asked.get("RunInstances, dry")).toBe(1);
    expect(await moto.ec2.everyInstance()).toEqual([]);
  });

  test("asks nothing where no machine is made: a group becomes smaller, or leaves for good", async () => {
    const spec = specWith(["m6i.large", "m6i.nano"]);
    const { hash } = findGroup(spec, "broker-0");
    for (const hosts of [2, 0]) expect(await refuse(spec, { hash, hosts })).toEqual([]);
    expect([...front.asked.keys()]).toEqual([]);
    expect(await failure(refuse(spec, { hash, hosts: 4 }))).toBe(
      refusal("EC2 has no instance type m6i.nano in eu-west-1"),
    );
  });

  test("refuses a profile that a dry run does not find, which whoever plans is not asked for", async () => {
    const spec = specWith(["demo-agents", "demo-nobody"]);
    // moto's words, where EC2 says InvalidParameterValue.
    expect(await failure(refuse(spec))).toBe(
      refusal(
        "EC2 would not start its machines: AWS answered NoSuchEntity: ec2:RunInstances: Instance profile demo-nobody not found; see what it says",
      ),
    );
    front.asked.clear();
    expect(await warnOfMachines(spec, new Map([["broker-0", {}]]))).toEqual([
      "broker-0: its image ami-0aaa is account 123456789012's",
    ]);
    expect(front.asked.get("RunInstances, dry")).toBe(undefined);
  });

  test("refuses a profile of the group's own that a dry run does not find", async () => {
    const spec = specWith();
    expect(await failure(refuse(spec, { instanceProfile: "demo-nobody" }))).toContain(
      "Instance profile demo-nobody not found",
    );
    const parameters = { GroupName: "brokers", GroupDescription: "brokers", VpcId: network.vpcId };
    const id = textAt(await query(moto).call("ec2", "CreateSecurityGroup", parameters), "groupId");
    expect(await refuse(spec, { securityGroupIds: [id], tags: { team: "data" } })).toEqual([]);
  });

  test("warns of a launch for which the rights are missing, since a policy may ask for more tags than it has", async () => {
    front.refusals.set("RunInstances, dry", UNAUTHORIZED);
    expect(await refuse(specWith())).toEqual([
      "warning: whether machines of broker-0 can be made is not known: AWS does not allow it: ec2:RunInstances: You are not authorized to perform this operation; allow ec2:RunInstances to who runs this",
    ]);
  });

  test("goes on where a dry run speaks of room, or is throttled", async () => {
    for (const code of ["InsufficientInstanceCapacity", "InstanceLimitExceeded", "RequestLimitExceeded"]) {
      front.refusals.set("RunInstances, dry", { ...UNAUTHORIZED, code });
      expect(await refuse(specWith())).toEqual([]);
    }
  });

  test("warns of each right that is missing to look, and names it", async () => {
    const actions = ["Images", "InstanceTypes", "InstanceTypeOfferings", "Subnets"].map(
      (what) => `Describe${what}`,
    );
    for (const action of actions) front.refusals.set(action, UNAUTHORIZED);
    expect(await refuse(specWith())).toEqual(
      actions.map(
        (action) =>
          `warning: whether machines of broker-0 can be made is not known: AWS does not allow it: ec2:${action}: You are not authorized to perform this operation; allow ec2:${action} to who runs this`,
      ),
    );
    expect(await warnOfMachines(specWith(), new Map([["broker-0", {}]]))).toEqual([]);
  });

  test("refuses an image of another account, unless the spec names that", async () => {
    const owners = (list: string) => ["keyName: ops", `keyName: ops\n  imageOwners: ${list}`] as const;
    const image = "ami-0e0e";
    const why = refusal("its image ami-0e0e is account 999999999999's, not one of aws.imageOwners");
    expect(await failure(refuse(specWith(), { image }))).toBe(why);
    expect(await failure(refuse(specWith(owners('["111111111111"]')), { image }))).toBe(why);
    expect(await warnOfMachines(specWith(), new Map([["broker-0", { image }]]))).toEqual([
      "broker-0: its image ami-0e0e is account 999999999999's",
      "warning: broker-0: its image ami-0e0e is account 999999999999's, not one of aws.imageOwners; correct the spec or the account",
    ]);
    expect(await refuse(specWith(owners('["999999999999"]')), { image })).toEqual([]);
    expect(await refuse(specWith(owners("[amazon]")), { image })).toEqual([]);
  });

  test("warns where a machine that died could not be made anew", async () => {
    const spec = specWith();
    const image = "ami-0bad";
    const stands = deployedFromSpec(spec, "HEAD", new Set());
    const origin = { kind: "state", where: "demo.tfstate", serial: 1, lineage: "" } as const;
    const { hash } = findGroup(spec, "broker-0");
    const deployed = withGroup({ ...stands, origin }, "broker-0", { tainted: ["aws_instance.broker-0-0"] });
    expect(await refuse(spec, { deployed, hash, image })).toEqual([
      "warning: broker-0: EC2 has no image ami-0bad in eu-west-1 for this account; correct the spec or the account",
    ]);
  });

  test("only warns of a group whose roll has begun", async () => {
    const spec = specWith(["m6i.large", "m6i.nano"]);
    const why = "EC2 has no instance type m6i.nano in eu-west-1";
    expect(await failure(refuse(spec))).toBe(refusal(why));
    const stands = deployedFromSpec(spec, "HEAD", new Set());
    const groups = new Map(
      [...stands.groups].map(([name, group]) => [name, { ...group, leave: name !== "broker-0" }]),
    );
    const origin = { kind: "state", where: "demo.tfstate", serial: 1, lineage: "" } as const;
    front.asked.clear();
    expect(await refuse(spec, { deployed: { ...stands, groups, origin } })).toEqual([
      `warning: broker-0: ${why}; correct the spec or the account`,
    ]);
    expect(front.asked.get("RunInstances, dry")).toBe(undefined);
  });

  test("only warns of a group of which the log alone knows that it has begun to leave", async () => {
    const log = new LogWriter(store, { now: () => 0 }, "20261121T100000Z-a");
    const add = (step: "preflight" | "leave"): Promise<void> =>
      log.add({ at: "2026-11-21T10:00:00Z", run: "a", event: "step-started", group: "broker-0", step });
    const image = "ami-0bad";
    const why = "EC2 has no image ami-0bad in eu-west-1 for this account";
    await add("preflight");
    expect(await failure(refuse(specWith(), { image }))).toBe(refusal(why));
    await add("leave");
    expect(await refuse(specWith(), { image })).toEqual([
      `warning: broker-0: ${why}; correct the spec or the account`,
    ]);
  });
});

const refusal = (why: string): string =>
  `broker-0 cannot be rolled now, since no machine of it could be made:\n  broker-0: ${why}; correct the spec or the account`;

const UNAUTHORIZED = {
  status: 403,
  code: "UnauthorizedOperation",
  message: "You are not authorized to perform this operation. Encoded authorization failure message: abc",
};
