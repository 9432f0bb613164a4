import { expect, test } from "@jest/globals";
import { formatViolation } from "../../../guard/verdict.js";
import { parseAddress } from "../../../cluster/address.js";
import { dataVolumeKept } from "../../../guard/rules/data-volume-kept.js";
import {
  change,
  declaring,
  deployedAs,
  groupIn,
  localSpec,
  poolOf,
  proposalOf,
  smallAwsSpec,
  withGroup,
} from "../../support/fixtures.js";

const VOLUME = "terraform_data.broker-0-1-data";
const standing = deployedAs(localSpec());
const resized = (sizeGib: number): ReturnType<typeof localSpec> =>
  change(localSpec(), (spec) => {
    const { dataVolumes } = poolOf(spec, "broker");
    if (dataVolumes) dataVolumes[0].sizeGib = sizeGib;
  });

test("accepts volumes that stay or grow, and those of hosts that are gone", () => {
  expect(dataVolumeKept(proposalOf(localSpec(), standing, "broker-0"))).toEqual([]);
  expect(dataVolumeKept(proposalOf(resized(200), standing, "broker-0"))).toEqual([]);
  const shrunk = change(localSpec(), (spec) => {
    poolOf(spec, "broker").hosts = [1, 3, 3];
  });
  expect(dataVolumeKept(proposalOf(shrunk, standing, "broker-0"))).toEqual([]);
});

test("refuses a volume that gets smaller, and only in the view that would do it", () => {
  expect(dataVolumeKept(proposalOf(resized(50), standing, "broker-0"))[0]?.subjects).toHaveLength(3);
  expect(dataVolumeKept(proposalOf(resized(50), standing, "cluster"))).toEqual([]);
});

test("accepts a volume that somebody has made larger by hand, while its machine stays", () => {
  const volumes = groupIn(standing, "broker-0").volumes.map((volume) => ({ ...volume, sizeGib: 200 }));
  const grown = withGroup(standing, "broker-0", { volumes });
  expect(dataVolumeKept(proposalOf(localSpec(), grown, "broker-0"))).toEqual([]);
  const rolled = change(localSpec(), (spec) => {
    poolOf(spec, "broker").images[0] = "ami-0bbb";
  });
  expect(dataVolumeKept(proposalOf(rolled, grown, "broker-0"))[0]?.subjects).toHaveLength(3);
});

test("refuses a volume that goes", () => {
  const base = proposalOf(localSpec(), standing, "broker-0");
  const declared = base.declared.filter(({ address }) => address !== VOLUME);
  const proposal = {
    ...base,
    declared,
    changes: [{ address: VOLUME, ...memberOf(base, VOLUME), action: "delete" as const }],
  };
  expect(dataVolumeKept(proposal)).toMatchObject([{ rule: "data-volume-kept", subjects: [VOLUME] }]);
});

test("refuses a volume that could be destroyed, also in the target", () => {
  const proposal = declaring(proposalOf(localSpec(), standing, "broker-0"), VOLUME, {
    preventsDestroy: false,
  });
  expect(dataVolumeKept(proposal)).toMatchObject([{ subjects: [VOLUME] }]);
});

test("refuses another subnet for a group with data volumes", () => {
  const moved = change(smallAwsSpec(), (spec) => {
    if (spec.platform === "aws") spec.aws.subnetIds[1] = "subnet-0d1";
  });
  const proposal = proposalOf(moved, deployedAs(smallAwsSpec()), "broker-0");
  expect(dataVolumeKept(proposal)).toMatchObject([{ subjects: ["broker-1"] }]);
});

function memberOf({ declared }: ReturnType<typeof proposalOf>, address: string) {
  const { group = "", member } = declared.find((resource) => resource.address === address) ?? {};
  return { group, ...(member ? { member } : {}) };
}

const grown = proposalOf(resized(200), standing, "broker-0");
const planned = (address: string, from: object, to: object): typeof grown => {
  const member = parseAddress(address);
  if (!member) throw new Error(`no member: ${address}`);
  const resource = {
    address,
    actions: ["update"],
    before: { input: from },
    after: { input: to },
    imported: false,
  };
  const change = { address, action: "update", group: member.group, member, planned: resource } as const;
  return { ...grown, declared: [], changes: [change] };
};
const DISK = { sizeGib: 100, type: "gp3" };

test("accepts a planned volume that grows to what the spec says", () => {
  expect(dataVolumeKept(planned(VOLUME, DISK, { ...DISK, sizeGib: 200 }))).toEqual([]);
});

test.each([
  ["larger than the spec says", VOLUME, DISK, { ...DISK, sizeGib: 300 }, "100 GiB gp3 -> 300 GiB gp3"],
  [
    "of other performance than it has, which the spec does not say",
    VOLUME,
    { ...DISK, iops: 3000 },
    { ...DISK, sizeGib: 200, iops: 6000 },
    "100 GiB gp3 iops 3000 -> 200 GiB gp3 iops 6000",
  ],
  ["of another type", VOLUME, DISK, { sizeGib: 200, type: "st1" }, "100 GiB gp3 -> 200 GiB st1"],
  ["smaller", VOLUME, { ...DISK, sizeGib: 400 }, { ...DISK, sizeGib: 200 }, "400 GiB gp3 -> 200 GiB gp3"],
  ["of a size that is not known", VOLUME, DISK, { type: "gp3" }, "100 GiB gp3 -> unknown GiB gp3"],
  [
    "of another group",
    "terraform_data.broker-1-0-data",
    DISK,
    { ...DISK, sizeGib: 200 },
    "100 GiB gp3 -> 200 GiB gp3",
  ],
])("rejects a planned volume that would be %s", (_, address, from, to, said) => {
  expect(dataVolumeKept(planned(address, from, to)).map(formatViolation)).toEqual([
    `data-volume-kept: data volumes would be smaller, or otherwise than the spec says: ${address} (${said}); synthesize and plan again from the spec as it is now`,
  ]);
});
