import { expect, test } from "@jest/globals";
import { HiddenByAclError } from "../../clients/consul/errors.js";
import { NoLeaderError, UnreachableError, type Subject } from "../../clients/http/errors.js";
import { CONSUL } from "../../clients/http/service.js";
import { UserError } from "../../cluster/user-error.js";
import { unsaidSecond } from "../../program/strays.js";

const where = "http://10.0.0.1:8500";
const path = "/v1/catalog/nodes";
const subject: Subject = { service: CONSUL, method: "GET", path, where, hasToken: false };
const spec = { name: "demo" };

test("refuses a new cluster where a Consul answers and does not say what it knows", () => {
  const text =
    "nothing is created: the state is empty, and a Consul answers and does not say whether it knows demo";
  expect(unsaidSecond(new HiddenByAclError({ path, permission: "node:read" }, where), spec)?.message).toBe(
    `${text}: Consul shows this token less than there is: GET /v1/catalog/nodes at http://10.0.0.1:8500; the token in CONSUL_HTTP_TOKEN needs node:read`,
  );
  expect(unsaidSecond(new NoLeaderError("Consul has no leader", 500, ""), spec)?.message).toBe(
    `${text}: Consul has no leader`,
  );
});

test("a cluster is new where no Consul answers, or there is none to ask", () => {
  expect(unsaidSecond(new UnreachableError(subject, [{ where, reason: "refused" }], false), spec)).toBe(
    undefined,
  );
  expect(unsaidSecond(new UserError("this cluster on platform local has no agents"), spec)).toBe(undefined);
});
