import { expect, test } from "@jest/globals";
import { checkDestination } from "../../../clients/ssh/ssh-destination.js";

test.each([
  "broker-0-1",
  "admin@10.0.0.7",
  "i-0abc1234",
  "ec2-user@broker.example.org",
  "fd00::7",
  "_a@h",
  "x",
])("%s is a destination", (destination) => {
  expect(checkDestination(destination)).toBe(destination);
});

test.each([
  "",
  "-",
  "-oProxyCommand=id",
  "--",
  "-l@host",
  "@host",
  "admin@",
  "admin@-v",
  "a b",
  "host;id",
  "$(id)",
  "`id`",
  "host\n",
  "a\0b",
  "ssh://host",
  "host/..",
  "host'",
  "a@b@c",
  "%h",
  "x".repeat(254),
])("refuses %j", (destination) => {
  expect(() => checkDestination(destination)).toThrow(
    `no ssh destination: ${JSON.stringify(destination)}; a host name, an address or a machine's id is one, with or without a user before it, such as admin@10.0.0.7`,
  );
});
