import { expect, test } from "@jest/globals";
import { readEndpoints, readFlag } from "../../../clients/http/endpoint.js";
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
