import { afterEach, expect, jest, test } from "@jest/globals";
import { runAction } from "../../../live/checks/run-action.js";
import type { Check } from "../../../cluster/gate-settings.js";
import { startServer, text, type LocalServer } from "../../clients/http/local-server.js";

jest.setTimeout(30_000);

const at = { name: "broker-0-1", host: "broker-0-1", address: "127.0.0.1", group: "broker-0" };
const common = { name: "answers", scope: "machine", intervalSeconds: 5, timeoutSeconds: 5 } as const;

let server: LocalServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

const http = (
  path: string,
  more: {
    contains?: string;
    status?: number;
    timeoutSeconds?: number;
    headers?: Record<string, string>;
  } = {},
): Check => ({
  ...common,
  kind: "http",
  url: `${server?.url ?? ""}${path}`,
  status: 200,
  headers: {},
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
  env: ["CHECK_PASSWORD", "CHECK_NAME"],
  ...more,
});

const tried = async (check: Check, env = {}) => {
  const { passed, value } = await runAction(check, at, { env });
  return [passed, value];
};

test("a URL is asked with the machine's own values in it", async () => {
  server = await startServer(text("all ok", 200));

  const result = await runAction(http("/{group}/{host}?a={address}", { contains: "ok" }), at, { env: {} });

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
  const none: Check = {
    ...common,
    kind: "command",
    command: ["rollout-no-such-program"],
    exitCode: 0,
    env: [],
  };
  expect(await tried(none)).toEqual([false, "no such program: rollout-no-such-program"]);
  // The child of the child keeps the output open: only its end lets this go on.
  const forks = `require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => 0, 1000)"], { stdio: "inherit" }); setInterval(() => 0, 1000)`;
  expect(await tried(command(forks, { timeoutSeconds: 1 }))).toEqual([false, "not done within 1 s"]);
});

test("a command gets what it names and what every program has, and prints no secret of its own", async () => {
  const env = {
    CONSUL_HTTP_TOKEN: "consul-secret",
    NOMAD_TOKEN: "nomad-secret",
    AWS_SECRET_ACCESS_KEY: "aws-secret",
    OTHER: "not named",
    https_proxy: "http://proxy:3128",
    CHECK_NAME: "named",
    CHECK_PASSWORD: "check-secret",
  };
  const print = `const { PATH, HOME, ...rest } = process.env; console.log(PATH !== undefined, HOME !== undefined, ${JSON.stringify(Object.keys(env))}.map((name) => rest[name]).join())`;

  expect(await tried(command(print), env)).toEqual([
    true,
    "true true ,,,,http://proxy:3128,named,(CHECK_PASSWORD)",
  ]);
});

test("a command prints no secret that it does not get, nor what it gets by a name that tells nothing", async () => {
  const env = {
    AWS_SECRET_ACCESS_KEY: "from-a-file",
    DATABASE_URL: "postgres://ops:pw",
    JAVA_HOME: "/usr/lib/jvm",
  };
  const check: Check = {
    ...command("console.log(`from-a-file ${process.env.DATABASE_URL} ${process.env.JAVA_HOME}`)"),
    env: ["DATABASE_URL", "JAVA_HOME"],
  } as Check;
  expect(await tried(check, env)).toEqual([true, "(AWS_SECRET_ACCESS_KEY) (DATABASE_URL) /usr/lib/jvm"]);
});

test("a header has its value from the environment, and nothing is asked where that is not set", async () => {
  server = await startServer(text("ok", 200));
  const check = http("/", { headers: { authorization: "SEARCH_AUTH" } });

  expect(await tried(check)).toEqual([false, "not set: SEARCH_AUTH"]);
  expect(await tried(check, { SEARCH_AUTH: "ApiKey secret" })).toEqual([true, "status 200"]);
  expect(server.headers.map(({ authorization }) => authorization)).toEqual(["ApiKey secret"]);
});

test("one that is about a group or a pool gets all machines at once", async () => {
  const of = {
    name: "broker-0",
    group: "broker-0",
    hosts: "broker-0-0,broker-0-1",
    addresses: "10.0.0.7,10.0.0.8",
  };
  const source = "console.log(process.argv.slice(1).join(' '))";
  const check: Check = {
    ...command(source),
    kind: "command",
    command: [process.execPath, "-e", source, "{group}", "{hosts}", "{addresses}"],
    exitCode: 0,
    env: [],
  };
  expect(await runAction(check, of, { env: {} })).toEqual({
    name: "answers",
    host: "broker-0",
    passed: true,
    value: "broker-0 broker-0-0,broker-0-1 10.0.0.7,10.0.0.8",
  });
});
