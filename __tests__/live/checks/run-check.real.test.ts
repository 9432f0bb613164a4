import { afterEach, expect, jest, test } from "@jest/globals";
import { runCheck } from "../../../live/checks/run-check.js";
import type { Check } from "../../../cluster/gate-settings.js";
import { startServer, text, type LocalServer } from "../../clients/http/local-server.js";

jest.setTimeout(30_000);

const at = { host: "broker-0-1", address: "127.0.0.1", group: "broker-0" };
const common = { name: "answers", intervalSeconds: 5, timeoutSeconds: 5 };

let server: LocalServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

const http = (
  path: string,
  more: { contains?: string; status?: number; timeoutSeconds?: number } = {},
): Check => ({
  ...common,
  kind: "http",
  url: `${server?.url ?? ""}${path}`,
  status: 200,
  ...more,
});

const command = (
  source: string,
  more: { contains?: string; exitCode?: number; timeoutSeconds?: number } = {},
): Check => ({
  ...common,
  kind: "command",
  command: [process.execPath, "-e", source, "{host}", "{address}:10911", "$HOME"],
  exitCode: 0,
  ...more,
});

const tried = async (check: Check, env = {}) => {
  const { passed, value } = await runCheck(check, at, { env });
  return [passed, value];
};

test("a URL is asked with the machine's own values in it", async () => {
  server = await startServer(text("all ok", 200));

  const result = await runCheck(http("/{group}/{host}?a={address}", { contains: "ok" }), at, { env: {} });

  expect(result).toEqual({
    name: "answers",
    host: "broker-0-1",
    passed: true,
    value: 'status 200, with "ok"',
  });
  expect(server.requests).toEqual(["GET /broker-0/broker-0-1?a=127.0.0.1"]);
});

test("a wrong status, a missing text and a redirect fail, and say what was seen", async () => {
  server = await startServer(text("no", 503));
  expect(await tried(http("/"))).toEqual([false, "status 503, not 200"]);
  expect(await tried(http("/", { status: 503 }))).toEqual([true, "status 503"]);
  expect(await tried(http("/", { status: 503, contains: "ok" }))).toEqual([
    false,
    'status 503, without "ok"',
  ]);
  await server.close();

  server = await startServer((response) => response.writeHead(302, { location: "/elsewhere" }).end());
  expect(await tried(http("/"))).toEqual([false, "status 302, not 200"]);
  expect(server.requests).toEqual(["GET /"]);
});

test("an answer without end, none in time and none at all fail", async () => {
  server = await startServer(text("x".repeat(2_000_000), 200));
  expect(await tried(http("/", { contains: "ok" }))).toEqual([
    false,
    "the answer is longer than 1048576 bytes",
  ]);
  await server.close();

  server = await startServer(() => undefined);
  expect(await tried(http("/", { timeoutSeconds: 1 }))).toEqual([false, "no answer within 1 s"]);
  const gone = http("/");
  await server.close();
  server = undefined;
  expect(await tried(gone)).toEqual([false, "connection refused"]);
});

test("a command gets its words as they are, and says something by its last line", async () => {
  const print = "console.log(process.argv.slice(1).join('|'))";
  expect(await tried(command(print))).toEqual([true, "broker-0-1|127.0.0.1:10911|$HOME"]);
  expect(await tried(command(print, { contains: "10911" }))).toEqual([
    true,
    "broker-0-1|127.0.0.1:10911|$HOME",
  ]);
  expect(await tried(command("console.log('behind by 7\\n')", { contains: "ready" }))).toEqual([
    false,
    'its output is without "ready": behind by 7',
  ]);
  expect(await tried(command("console.error('no broker'); process.exit(3)"))).toEqual([
    false,
    "exit code 3, not 0: no broker",
  ]);
  expect(await tried(command("process.exit(3)", { exitCode: 3 }))).toEqual([true, "exit code 3"]);
});

test("a command that is not there, and one that does not end, fail", async () => {
  const none: Check = { ...common, kind: "command", command: ["rollout-no-such-program"], exitCode: 0 };
  expect(await tried(none)).toEqual([false, "no such program: rollout-no-such-program"]);
  // The child of the child keeps the output open: only its end lets this go on.
  const forks = `require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => 0, 1000)"], { stdio: "inherit" }); setInterval(() => 0, 1000)`;
  expect(await tried(command(forks, { timeoutSeconds: 1 }))).toEqual([false, "not done within 1 s"]);
});

test("a command does not get the agents' tokens, and prints no secret of its own", async () => {
  const env = {
    CONSUL_HTTP_TOKEN: "consul-secret",
    CONSUL_HTTP_AUTH: "consul-user:secret",
    NOMAD_TOKEN: "nomad-secret",
    CHECK_PASSWORD: "check-secret",
  };
  const print =
    "console.log(['CONSUL_HTTP_TOKEN', 'CONSUL_HTTP_AUTH', 'NOMAD_TOKEN', 'CHECK_PASSWORD'].map((name) => process.env[name]).join())";

  expect(await tried(command(print), env)).toEqual([true, ",,,(CHECK_PASSWORD)"]);
});
