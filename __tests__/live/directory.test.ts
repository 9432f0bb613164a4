import { expect, test } from "@jest/globals";
import { Directory } from "../../live/directory.js";
import type { Ec2Machine } from "../../clients/aws/ec2.js";
import { UserError } from "../../cluster/user-error.js";
import { failure } from "../support/refusal.js";

test("a machine is where Consul says it is, as long as EC2 does not know better", async () => {
  expect(await addressIn({ consul: "10.0.0.1" })).toBe("10.0.0.1");
  expect(await addressIn({ consul: "10.0.0.1", ec2: [] })).toBe("10.0.0.1");
  expect(await addressIn({ consul: "10.0.0.1", ec2: [machine("10.0.0.2"), machine("10.0.0.1")] })).toBe(
    "10.0.0.1",
  );
});

test("a machine that was killed stays in Consul: then the newest that runs is the one", async () => {
  const ended = machine("10.0.0.1", "terminated");
  expect(await addressIn({ consul: "10.0.0.1", ec2: [ended, machine("10.0.0.2")] })).toBe("10.0.0.2");
  expect(await addressIn({ ec2: [machine("10.0.0.2"), machine("10.0.0.3")] })).toBe("10.0.0.3");
});

test("one that cannot be asked leaves it to the other", async () => {
  expect(await addressIn({ consul: new UserError("no leader"), ec2: [machine("10.0.0.2")] })).toBe(
    "10.0.0.2",
  );
  expect(await addressIn({ consul: "10.0.0.1", ec2: new UserError("not allowed") })).toBe("10.0.0.1");
});

test("refuses a host that nobody knows, and says who could not be asked", async () => {
  expect(await failure(addressIn({}))).toBe("no address of broker-0-0 is known to Consul");
  expect(await failure(addressIn({ ec2: [machine("10.0.0.2", "pending")] }))).toBe(
    "no address of broker-0-0 is known to Consul or EC2",
  );
  expect(
    await failure(addressIn({ consul: new UserError("no leader"), ec2: new UserError("not allowed") })),
  ).toBe("no address of broker-0-0 is known to Consul or EC2 (no leader; not allowed)");
});

test("an answer is remembered until it is to be forgotten, and a failure is not", async () => {
  const answers = [new UserError("no leader"), "10.0.0.1", "10.0.0.2"];
  const directory = directoryOf({ consul: () => answers.shift() });
  expect(await failure(directory.addressOf(HOST))).toContain("(no leader)");
  expect(await directory.addressOf(HOST)).toBe("10.0.0.1");
  expect(await directory.addressOf(HOST)).toBe("10.0.0.1");
  directory.forget();
  expect(await directory.addressOf(HOST)).toBe("10.0.0.2");
});

const HOST = "broker-0-0";

interface Known {
  readonly consul?: string | Error;
  readonly ec2?: readonly Ec2Machine[] | Error;
}

const addressIn = ({ consul, ec2 }: Known): Promise<string> =>
  directoryOf({ consul: () => consul, ...(ec2 === undefined ? {} : { ec2 }) }).addressOf(HOST);

function directoryOf({ consul, ec2 }: Pick<Known, "ec2"> & { consul: () => Known["consul"] }): Directory {
  return new Directory({
    catalog: () => {
      const address = consul();
      if (address instanceof Error) return Promise.reject(address);
      const other = { ID: "other", Node: "broker-0-1", Address: "10.0.0.9", Meta: {} };
      const own = address === undefined ? [] : [{ ID: "own", Node: HOST, Address: address, Meta: {} }];
      return Promise.resolve([other, ...own]);
    },
    ...(ec2 === undefined
      ? {}
      : { machines: () => (ec2 instanceof Error ? Promise.reject(ec2) : Promise.resolve(ec2)) }),
  });
}

const machine = (privateIp: string, state = "running"): Ec2Machine => ({
  host: HOST,
  group: "broker-0",
  instanceId: `i-${privateIp}`,
  image: "ami-0aaa",
  state,
  privateIp,
  launchTime: undefined,
  volumes: [],
});
