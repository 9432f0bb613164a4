import { expect, test } from "@jest/globals";
import { parseIp } from "../../cluster/ip-address.js";

test.each([
  ["10.0.0.1", { ip: "10.0.0.1" }],
  ["10.0.0.1:8301", { ip: "10.0.0.1", port: 8301 }],
  ["fd00::1", { ip: "fd00::1" }],
  ["::1", { ip: "::1" }],
  ["[fd00::1]", { ip: "fd00::1" }],
  ["[fd00::1]:8301", { ip: "fd00::1", port: 8301 }],
])("%s is an address", (text, address) => {
  expect(parseIp(text)).toEqual(address);
});

test.each([
  "",
  "10.0.0",
  "10.0.0.256",
  "10.0.0.1:",
  "10.0.0.1:0",
  "10.0.0.1:65536",
  " 10.0.0.1",
  "10.0.0.1\n",
  "consul.example.org",
  "provider=aws tag_key=x",
  "[10.0.0.1]",
  "fd00::g",
  "[fd00::1",
])("refuses %j", (text) => {
  expect(parseIp(text)).toBeUndefined();
});
