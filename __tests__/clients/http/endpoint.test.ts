import { expect, test } from "@jest/globals";
import { isBySsh, readEndpoints, readFlag, variableFor } from "../../../clients/http/endpoint.js";
import { CONSUL, NOMAD } from "../../../clients/http/service.js";

const consul = (value?: string, ssl?: string) =>
  readEndpoints(CONSUL, { CONSUL_HTTP_ADDR: value, CONSUL_HTTP_SSL: ssl });

test("without a variable it is the agent on this machine", () => {
  expect(readEndpoints(CONSUL, {})).toEqual([{ url: "http://127.0.0.1:8500" }]);
  expect(readEndpoints(NOMAD, { NOMAD_ADDR: "" })).toEqual([{ url: "http://127.0.0.1:4646" }]);
});

test.each([
  ["10.0.0.1:8500", "http://10.0.0.1:8500"],
  ["10.0.0.1", "http://10.0.0.1:8500"],
  ["10.0.0.1:80", "http://10.0.0.1"],
  ["consul.example:8501/", "http://consul.example:8501"],
  ["http://consul.example", "http://consul.example"],
  ["https://consul.example:8501", "https://consul.example:8501"],
  ["[::1]:8500", "http://[::1]:8500"],
  ["[fd00::1]", "http://[fd00::1]:8500"],
  ["http://127.0.0.1:7001/consul", "http://127.0.0.1:7001/consul"],
  ["https://gate.example/a/b//", "https://gate.example/a/b"],
])("%s is read as %s", (value, url) => {
  expect(consul(value)).toEqual([{ url }]);
});

test("a Unix socket is connected to in place of a host", () => {
  expect(consul("unix:///run/consul.sock")).toEqual([
    { url: "http://localhost", socketPath: "/run/consul.sock" },
  ]);
});

test("several addresses keep their order", () => {
  expect(consul("10.0.0.2:8500, https://10.0.0.1:8501 ,[::1]:8500")).toEqual([
    { url: "http://10.0.0.2:8500" },
    { url: "https://10.0.0.1:8501" },
    { url: "http://[::1]:8500" },
  ]);
});

test.each(["true", "1", "TRUE", "t"])(
  "CONSUL_HTTP_SSL=%s encrypts, also where an address says http",
  (ssl) => {
    expect(consul("10.0.0.1:8501,http://10.0.0.2:8501", ssl)).toEqual([
      { url: "https://10.0.0.1:8501" },
      { url: "https://10.0.0.2:8501" },
    ]);
    expect(consul(undefined, ssl)).toEqual([{ url: "https://127.0.0.1:8500" }]);
  },
);

test("CONSUL_HTTP_SSL says nothing of Nomad", () => {
  expect(readEndpoints(NOMAD, { NOMAD_ADDR: "10.0.0.1:4646", CONSUL_HTTP_SSL: "true" })).toEqual([
    { url: "http://10.0.0.1:4646" },
  ]);
});

const allowed =
  "write http://10.0.0.1:8500, https://name:8500, 10.0.0.1:8500 or unix:///path, several between commas";

test("our own variables go before the agents' own, which other tools read and cannot have several in", () => {
  const env = {
    ...{ CONSUL_HTTP_ADDR: "10.0.0.1", NOMAD_ADDR: "http://10.0.0.1:4646" },
    ...{ ROLLOUT_CONSUL_ADDRS: "10.0.0.2,10.0.0.3", ROLLOUT_NOMAD_ADDRS: " https://10.0.0.2:4646 " },
  };
  expect(readEndpoints(CONSUL, env)).toEqual([
    { url: "http://10.0.0.2:8500" },
    { url: "http://10.0.0.3:8500" },
  ]);
  expect(readEndpoints(NOMAD, env)).toEqual([{ url: "https://10.0.0.2:4646" }]);
  expect([isBySsh(CONSUL, env), variableFor(NOMAD, env)]).toEqual([false, "ROLLOUT_NOMAD_ADDRS"]);
  const empty = { ...env, ROLLOUT_CONSUL_ADDRS: " " };
  expect(readEndpoints(CONSUL, empty)).toEqual([{ url: "http://10.0.0.1:8500" }]);
  expect(variableFor(CONSUL, empty)).toBe("CONSUL_HTTP_ADDR");
});

test("tunnels by ssh are wanted by a word in the place of addresses; the agents' own variable says how machines listen", () => {
  const env = { ROLLOUT_NOMAD_ADDRS: "ssh", NOMAD_ADDR: "https://nomad.example:4646" };
  expect([isBySsh(NOMAD, env), isBySsh(CONSUL, env)]).toEqual([true, false]);
  expect(readEndpoints(NOMAD, env)).toEqual([{ url: "https://nomad.example:4646" }]);
  expect(variableFor(NOMAD, env)).toBe("ROLLOUT_NOMAD_ADDRS");
});

test("refuses that word beside addresses, and in the agents' own variable", () => {
  const message = (variable: string, port: number): string =>
    `${variable} is no address: "ssh" stands alone, in ROLLOUT_CONSUL_ADDRS or ROLLOUT_NOMAD_ADDRS; ${allowed.replaceAll("8500", String(port))}`;
  expect(() => readEndpoints(NOMAD, { ROLLOUT_NOMAD_ADDRS: "10.0.0.1,ssh" })).toThrow(
    new Error(message("ROLLOUT_NOMAD_ADDRS", 4646)),
  );
  expect(() => consul("ssh")).toThrow(new Error(message("CONSUL_HTTP_ADDR", 8500)));
});

test.each([
  ["10.0.0.1:8500,,", `CONSUL_HTTP_ADDR is no address: "" is empty; ${allowed}`],
  ["10.0.0.1:85000", `CONSUL_HTTP_ADDR is no address: "10.0.0.1:85000" cannot be read; ${allowed}`],
  ["::1:8500", `CONSUL_HTTP_ADDR is no address: "::1:8500" cannot be read; ${allowed}`],
  ["ftp://a", `CONSUL_HTTP_ADDR is no address: "ftp://a" is neither http nor https nor unix; ${allowed}`],
  ["unix://run", `CONSUL_HTTP_ADDR is no address: "unix://run" names no absolute path; ${allowed}`],
  ["http://a/?token=x", `CONSUL_HTTP_ADDR is no address: "http://a/?…" carries a query; ${allowed}`],
])("refuses %s", (value, message) => {
  expect(() => consul(value)).toThrow(new Error(message));
});

test("refuses a password in an address, and does not repeat it", () => {
  expect(() => consul("http://operator:hunter2@10.0.0.1:8500")).toThrow(
    new Error(
      `CONSUL_HTTP_ADDR is no address: "http://…@10.0.0.1:8500" carries a user name or password; ${allowed}`,
    ),
  );
});

test("refuses a flag that is neither true nor false", () => {
  expect(() => readFlag("CONSUL_HTTP_SSL", { CONSUL_HTTP_SSL: "yes" })).toThrow(
    new Error('CONSUL_HTTP_SSL is neither true nor false: "yes"; set it to true or false, or unset it'),
  );
});
