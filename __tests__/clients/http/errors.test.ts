import { expect, test } from "@jest/globals";
import { noAnswer } from "../../../clients/http/connection.js";
import { formatEndpoint } from "../../../clients/http/endpoint.js";
import { refusalOf, UnreachableError } from "../../../clients/http/errors.js";
import { CONSUL } from "../../../clients/http/service.js";

/** Which of the two it meets depends on who is first: what waits would say something new again and again. */
test("a connection that is cut is called the same, by whoever reads and by whoever writes", () => {
  expect([noAnswer("EPIPE"), noAnswer("ECONNRESET")]).toEqual(["connection reset", "connection reset"]);
});

test("an address that was tried twice in vain is named once", () => {
  const cut = { where: "unix:///tmp/agent", reason: "connection reset" };
  const subject = {
    service: CONSUL,
    method: "GET",
    path: "/v1/agent/members",
    where: cut.where,
    hasToken: false,
  };
  expect(new UnreachableError(subject, [cut, cut], false).message).toBe(
    "Consul did not answer: GET /v1/agent/members at unix:///tmp/agent (connection reset); see that the agent runs, and check CONSUL_HTTP_ADDR",
  );
});

test("the agent of one machine is named by that, and no variable is", () => {
  const machine = "broker-0-1";
  const where = formatEndpoint({ url: "http://127.0.0.1:8500", socketPath: "/tmp/rollout-1/agent", machine });
  const subject = { service: CONSUL, method: "GET", path: "/v1/agent/self", where, hasToken: false, machine };
  expect(new UnreachableError(subject, [{ where, reason: "connection reset" }], false).message).toBe(
    "Consul did not answer: GET /v1/agent/self at http://127.0.0.1:8500 of broker-0-1 (connection reset); see that the agent runs on broker-0-1",
  );
});

test("servers that are not found yet are called that, and another error of an agent by its status", () => {
  const subject = {
    service: CONSUL,
    method: "GET",
    path: "/v1/status/leader",
    where: "here",
    hasToken: false,
  };
  const said = (status: number, text: string): string =>
    refusalOf(subject, { kind: "answer", status, text }, undefined).message;
  expect(said(500, "No known Consul servers")).toBe(
    "Consul finds no servers yet, or they change just now: GET /v1/status/leader at here (500 No known Consul servers)",
  );
  expect(said(500, "it is broken")).toBe("Consul answered 500 it is broken: GET /v1/status/leader at here");
  expect(said(502, "")).toBe("Consul answered 502: GET /v1/status/leader at here");
});
