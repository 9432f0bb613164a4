import { expect, test } from "@jest/globals";
import { noAnswer } from "../../../clients/http/connection.js";
import { UnreachableError } from "../../../clients/http/errors.js";
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
