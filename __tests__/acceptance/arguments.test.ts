import { expect, test } from "@jest/globals";
import { readArguments } from "./arguments.js";

const GIVEN = [
  ...[
    "--subnets",
    "subnet-0a,subnet-0b,subnet-0c",
    "--security-groups",
    "sg-0a",
    "--instance-profile",
    "agents",
  ],
  ...["--images", "ami-0a1,ami-0a2", "--data-images", "ami-0e1,ami-0e2"],
];

test("reads what is there already", () => {
  expect(readArguments([...GIVEN, "--only", "clients"], {})).toEqual({
    verb: "run",
    yes: false,
    only: "clients",
    given: {
      subnetIds: ["subnet-0a", "subnet-0b", "subnet-0c"],
      securityGroupIds: ["sg-0a"],
      instanceProfile: "agents",
      images: { plain: ["ami-0a1", "ami-0a2"], data: ["ami-0e1", "ami-0e2"] },
    },
  });
});

test("takes down, or helps, without any of it", () => {
  expect(readArguments(["--down", "--yes"], {})).toEqual({ verb: "down", yes: true });
  expect(readArguments(["--help"], {})).toEqual({ verb: "help" });
});

test("rejects all that is missing at once", () => {
  expect(readArguments([], {})).toMatchInlineSnapshot(`
   [
     "--subnets is missing; it takes three ids of subnets, such as subnet-0a1,subnet-0b1,subnet-0c1",
     "--security-groups is missing; it takes ids of security groups, such as sg-0a1",
     "--instance-profile is missing; it takes the name of an instance profile",
     "--images is missing; it takes two ids of images, such as ami-0a1,ami-0a2",
     "--data-images is missing; it takes two ids of images, such as ami-0e1,ami-0e2",
   ]
  `);
});

test("rejects all that is wrong at once: too few, the same twice, an id of something else, a file that is not there", () => {
  const words = [
    ...["--subnets", "subnet-0a,subnet-0b", "--security-groups", "sg-0a,sg-0a", "--instance-profile", "a b"],
    ...["--images", "ami-0a1,ami-0a1", "--data-images", "vpc-0e1,ami-0e2"],
  ];
  expect(readArguments(words, { ROLLOUT_SSH_CONFIG: "/nowhere/ssh_config" })).toMatchInlineSnapshot(`
   [
     "--subnets is 'subnet-0a,subnet-0b'; it takes three ids of subnets, such as subnet-0a1,subnet-0b1,subnet-0c1",
     "--security-groups is 'sg-0a,sg-0a'; it takes ids of security groups, such as sg-0a1",
     "--instance-profile is 'a b'; it takes the name of an instance profile",
     "--images is 'ami-0a1,ami-0a1'; it takes two ids of images, such as ami-0a1,ami-0a2",
     "--data-images is 'vpc-0e1,ami-0e2'; it takes two ids of images, such as ami-0e1,ami-0e2",
     "ROLLOUT_SSH_CONFIG is '/nowhere/ssh_config', which is not there",
   ]
  `);
});

test("rejects an option that there is not", () => {
  expect(readArguments(["--subnet", "subnet-0a"], {})).toMatchInlineSnapshot(`
   [
     "Unknown option '--subnet'",
   ]
  `);
});
