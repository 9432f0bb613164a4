import { expect, test } from "@jest/globals";
import { describeWanted, isSame } from "../../driver/wanted-group.js";

const GROUP = {
  ...{ image: "ami-0aaa", hash: "0123456789", hosts: 2 },
  wantedVolume: { sizeGib: 100, type: "gp3", iops: 6000 },
} as const;

test("a group is another one with another template, number of hosts, size or iops, and says so", () => {
  const others = [
    { ...GROUP, hash: "9876543210" },
    { ...GROUP, hosts: 1 },
    { ...GROUP, wantedVolume: { ...GROUP.wantedVolume, sizeGib: 2000 } },
    { ...GROUP, wantedVolume: { ...GROUP.wantedVolume, iops: 9000, throughput: 500 } },
  ];
  expect(isSame(GROUP, { ...GROUP, wantedVolume: { ...GROUP.wantedVolume } })).toBe(true);
  expect(others.map((other) => isSame(GROUP, other))).toEqual([false, false, false, false]);
  expect([GROUP, ...others].map(describeWanted)).toEqual([
    "ami-0aaa, template 0123456789, 2 hosts, data volumes of 100 GiB gp3, iops 6000",
    "ami-0aaa, template 9876543210, 2 hosts, data volumes of 100 GiB gp3, iops 6000",
    "ami-0aaa, template 0123456789, 1 host, data volumes of 100 GiB gp3, iops 6000",
    "ami-0aaa, template 0123456789, 2 hosts, data volumes of 2000 GiB gp3, iops 6000",
    "ami-0aaa, template 0123456789, 2 hosts, data volumes of 100 GiB gp3, iops 9000, throughput 500",
  ]);
});

test("of a group without data volumes none is named", () => {
  expect(describeWanted({ image: "v1", hash: "0123456789", hosts: 1 })).toBe(
    "v1, template 0123456789, 1 host",
  );
});
