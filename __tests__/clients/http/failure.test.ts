import { expect, test } from "@jest/globals";
import { delayBefore, mayRepeat, type Failure } from "../../../clients/http/failure.js";

const answer = (status: number, text: string): Failure => ({ kind: "answer", status, text });

/** The failure, whether a read is repeated, whether a write is that must not be done twice. */
const table: readonly (readonly [Failure, boolean, boolean])[] = [
  [{ kind: "unreachable", reason: "connection refused" }, true, true],
  [{ kind: "broken", reason: "connection reset" }, true, false],
  [{ kind: "refused", reason: "it is longer than 1 bytes" }, false, false],
  [answer(429, "Too many requests"), true, true],
  [answer(500, "No cluster leader"), true, false],
  [answer(500, "rpc error making call: rpc error making call: No cluster leader"), true, false],
  [answer(500, "No known Consul servers"), true, false],
  [answer(500, "no servers"), true, false],
  [answer(500, "there are no servers of that name"), false, false],
  [{ kind: "leaderless", status: 403, text: "ACL not found" }, true, true],
  [
    answer(500, "rpc error: failed to get conn: dial tcp 10.0.0.1:4647: connect: connection refused"),
    true,
    false,
  ],
  [answer(500, "rpc error: failed to get conn: rpc error: lead thread didn't get connection"), true, false],
  [answer(500, "rpc error making call: stream closed"), true, false],
  [answer(500, "rpc error: EOF"), true, false],
  [answer(500, "rpc error: session shutdown"), true, false],
  [answer(500, "rpc error making call: leadership lost while committing log"), true, false],
  [answer(502, "<html>"), true, false],
  [answer(503, ""), true, false],
  [answer(504, ""), true, false],
  [answer(500, "node not found"), false, false],
  [answer(500, 'id "1" was not found in the Raft configuration'), false, false],
  [answer(500, "failed to parse snapshot: EOF expected"), false, false],
  [answer(501, "Invalid method"), false, false],
  [answer(400, "Invalid index"), false, false],
  [answer(403, "Permission denied"), false, false],
  [answer(404, "No cluster leader"), false, false],
];

test.each(table)("%j: a read is repeated: %s, a write that counts: %s", (failure, read, write) => {
  expect([mayRepeat(failure, true), mayRepeat(failure, false)]).toEqual([read, write]);
});

test("waits double up to two seconds, and chance takes off at most half", () => {
  expect([0, 1, 2, 3, 4, 20].map((round) => [delayBefore(round, 0), delayBefore(round, 0.999)])).toEqual([
    [125, 250],
    [250, 500],
    [500, 1000],
    [1000, 1999],
    [1000, 1999],
    [1000, 1999],
  ]);
});
