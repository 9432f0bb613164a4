import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { fillIn, gateSettingsOf } from "../../../cluster/gate-settings.js";
import { groupsOf } from "../../../cluster/groups.js";
import { EXAMPLE, exampleWith, refusal, specOf } from "./example.js";

test("whoever says nothing drains for an hour, waits for a quarter of one and bakes for half a minute", () => {
  const defaults = {
    maxUnavailable: Infinity,
    maxSurge: 0,
    drain: { deadlineSeconds: 3600, onDeadline: "fail" },
    ready: { timeoutSeconds: 900, checks: [] },
    steps: [],
    bake: { seconds: 30, firstSeconds: 30 },
  };
  const spec = specOf(EXAMPLE);
  expect(gateSettingsOf("broker", spec)).toEqual({ ...defaults, workload: "stays" });
  expect(gateSettingsOf("name-server", spec)).toEqual({ ...defaults, workload: "moves" });
  expect(gateSettingsOf("consul-server", spec)).toEqual({
    ...defaults,
    workload: "moves",
    maxUnavailable: 1,
  });
});

test("what a pool says counts, in seconds", () => {
  const spec = specOf(
    brokerWith(
      "drain: { deadline: 4h, onDeadline: accept }",
      "ready: { timeout: 1h }",
      "bake: { time: 90s, first: 30m }",
    ),
  );
  expect(gateSettingsOf("broker", spec)).toMatchObject({
    drain: { deadlineSeconds: 14400, onDeadline: "accept" },
    ready: { timeoutSeconds: 3600 },
    bake: { seconds: 90, firstSeconds: 1800 },
  });
});

test("a check is one of HTTP or one of a command, each with its defaults", () => {
  const spec = specOf(
    brokerWith(
      checks(
        "{ name: answers, http: 'http://{address}:8080/health' }",
        "{ name: leads, http: 'https://{host}/', status: 204, contains: ok, headers: { authorization: LEADS_AUTH }, interval: 1m, timeout: 30s }",
        "{ name: in-sync, command: [mqadmin, haStatus, -b, '{addresses}'], scope: group, when: after, env: [JAVA_HOME] }",
        "{ name: refused, command: [probe], expect: { exitCode: 1, contains: no } }",
      ),
    ),
  );
  const usual = { scope: "machine", intervalSeconds: 5, timeoutSeconds: 5 };
  expect(gateSettingsOf("broker", spec).ready.checks).toEqual([
    {
      ...usual,
      name: "answers",
      kind: "http",
      url: "http://{address}:8080/health",
      status: 200,
      headers: {},
    },
    {
      name: "leads",
      scope: "machine",
      intervalSeconds: 60,
      timeoutSeconds: 30,
      kind: "http",
      url: "https://{host}/",
      status: 204,
      contains: "ok",
      headers: { authorization: "LEADS_AUTH" },
    },
    {
      ...usual,
      name: "in-sync",
      scope: "group",
      when: "after",
      kind: "command",
      command: ["mqadmin", "haStatus", "-b", "{addresses}"],
      exitCode: 0,
      env: ["JAVA_HOME"],
    },
    { ...usual, name: "refused", kind: "command", command: ["probe"], exitCode: 1, env: [], contains: "no" },
  ]);
});

test("how a group leaves and becomes ready makes no group pending", () => {
  const spec = specOf(
    brokerWith(
      "drain: { deadline: 4h, onDeadline: accept }",
      "bake: { time: 90s, first: 30m }",
      checks("{ name: answers, http: 'http://{address}/' }"),
      "steps: { beforeLeave: [{ name: silence, command: [silence, '{host}'] }] }",
    ),
  );
  expect(groupsOf(spec)).toEqual(groupsOf(specOf(EXAMPLE)));
});

test("a step is an action of its list, and its undo is about the same", () => {
  const spec = specOf(
    brokerWith(
      "steps:",
      "  afterReady: [{ name: back, http: 'http://{address}/back', onFailure: continue }]",
      "  beforeLeave:",
      "    - name: silence",
      "      command: [silence, '{hosts}']",
      "      scope: group",
      "      undo: { http: 'http://alarms/loud?{hosts}', timeout: 1m }",
    ),
  );
  const http = { kind: "http", status: 200, headers: {} };
  expect(gateSettingsOf("broker", spec).steps).toEqual([
    {
      name: "silence",
      list: "beforeLeave",
      title: "step silence (beforeLeave)",
      scope: "group",
      timeoutSeconds: 5,
      kind: "command",
      command: ["silence", "{hosts}"],
      exitCode: 0,
      env: [],
      onFailure: "stop",
      undo: {
        ...http,
        name: "silence",
        scope: "group",
        timeoutSeconds: 60,
        url: "http://alarms/loud?{hosts}",
      },
    },
    {
      ...http,
      name: "back",
      list: "afterReady",
      title: "step back (afterReady)",
      scope: "machine",
      timeoutSeconds: 5,
      url: "http://{address}/back",
      onFailure: "continue",
    },
  ]);
});

test("refuses every mistake of steps at once, those of an undo by the scope of its step", () => {
  const text = brokerWith(
    "steps:",
    "  beforeLeave:",
    "    - { name: twice, command: [a], interval: 5s }",
    "    - { name: twice, command: [a], onFailure: undo, undo: {} }",
    "    - { name: wide, command: [a], scope: pool, undo: { command: [b, '{host}'], env: [NOMAD_TOKEN] } }",
    "    - { name: own, command: [a], undo: { name: other, scope: group, http: 'http://{host}/', env: [A] } }",
    "  afterLeave: [{ name: twice }]",
    "  later: []",
  );
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:34: pools.broker.steps.beforeLeave[0].interval: unknown key; known here: name, http, status, contains, headers, command, expect, env, scope, timeout, onFailure, undo
   cluster.yaml:35: pools.broker.steps.beforeLeave[1].name: got "twice" a second time; expected a name of its own for each step of a list
   cluster.yaml:35: pools.broker.steps.beforeLeave[1].onFailure: got "undo"; expected stop or continue
   cluster.yaml:35: pools.broker.steps.beforeLeave[1].undo: has neither http nor command; expected one of them: http (a URL) or command (a program and its arguments)
   cluster.yaml:36: pools.broker.steps.beforeLeave[2].undo.command[1]: names {host}, which stands for nothing; known here: {group}, {hosts}, {addresses}
   cluster.yaml:36: pools.broker.steps.beforeLeave[2].undo.env[0]: got "NOMAD_TOKEN"; expected a variable of its own, with fewer rights: with this one it could take the cluster apart
   cluster.yaml:37: pools.broker.steps.beforeLeave[3].undo.env: not allowed: it is for command; http has status, contains and headers
   cluster.yaml:37: pools.broker.steps.beforeLeave[3].undo.name: unknown key; known here: http, status, contains, headers, command, expect, env, timeout
   cluster.yaml:37: pools.broker.steps.beforeLeave[3].undo.scope: unknown key; known here: http, status, contains, headers, command, expect, env, timeout
   cluster.yaml:38: pools.broker.steps.afterLeave[0]: has neither http nor command; expected one of them: http (a URL) or command (a program and its arguments)
   cluster.yaml:39: pools.broker.steps.later: unknown key; known here: beforeLeave, afterLeave, afterReady"
  `);
});

test("a client pool says how many machines of a group are replaced at once", () => {
  const spec = specOf(brokerWith("maxUnavailable: 2"));
  expect(gateSettingsOf("broker", spec).maxUnavailable).toBe(2);
  expect(groupsOf(spec)).toEqual(groupsOf(specOf(EXAMPLE)));
});

test("refuses a number of machines at once that is none, and any of a server pool", () => {
  expect(refusal(brokerWith("maxUnavailable: 0"))).toMatchInlineSnapshot(
    `"cluster.yaml:32: pools.broker.maxUnavailable: got 0 for both maxSurge and maxUnavailable; expected one of them to be 1 or more, or no machine could ever be replaced"`,
  );
  expect(refusal(brokerWith("maxUnavailable: [1, 1, 1]"))).toMatchInlineSnapshot(
    `"cluster.yaml:32: pools.broker.maxUnavailable: got [1,1,1]; expected a whole number from 0 to 1200"`,
  );
  expect(
    refusal(EXAMPLE.replace("  consul-server:\n", "  consul-server:\n    maxUnavailable: 1\n")),
  ).toMatchInlineSnapshot(
    `"cluster.yaml:15: pools.consul-server.maxUnavailable: not allowed: it is for client pools; servers go one at a time"`,
  );
});

test("a pool that may have more machines has no fewer unless it says so", () => {
  const [one, both] = [surging("maxSurge: 1"), surging("maxSurge: 1", "maxUnavailable: 2")].map(specOf);
  if (!one || !both) throw new Error("two specs were meant");
  expect(gateSettingsOf("name-server", one)).toMatchObject({ maxSurge: 1, maxUnavailable: 0 });
  expect(gateSettingsOf("name-server", both)).toMatchObject({ maxSurge: 1, maxUnavailable: 2 });
  const hashes = (spec: typeof one): string[] => groupsOf(spec).map(({ hash }) => hash);
  expect(hashes(one)).toEqual(hashes(specOf(EXAMPLE)));
});

test("refuses more machines where one could not stand beside another, and numbers by which none could ever go", () => {
  expect(refusal(brokerWith("maxSurge: 1"))).toMatchInlineSnapshot(
    `"cluster.yaml:32: pools.broker.maxSurge: got it in a pool with dataVolumes; expected maxUnavailable, since a volume is one machine's at a time"`,
  );
  expect(refusal(surging("maxSurge: 0"))).toMatchInlineSnapshot(
    `"cluster.yaml:21: pools.name-server.maxSurge: got 0 for both maxSurge and maxUnavailable; expected one of them to be 1 or more, or no machine could ever be replaced"`,
  );
  expect(refusal(surging("maxSurge: 0", "maxUnavailable: 0"))).toMatchInlineSnapshot(
    `"cluster.yaml:21: pools.name-server.maxSurge: got 0 for both maxSurge and maxUnavailable; expected one of them to be 1 or more, or no machine could ever be replaced"`,
  );
  expect(refusal(surging("maxSurge: -1"))).toMatchInlineSnapshot(
    `"cluster.yaml:21: pools.name-server.maxSurge: got -1; expected a whole number from 0 to 1200"`,
  );
  expect(
    refusal(EXAMPLE.replace("  consul-server:\n", "  consul-server:\n    maxSurge: 1\n")),
  ).toMatchInlineSnapshot(
    `"cluster.yaml:15: pools.consul-server.maxSurge: not allowed: it is for client pools; a server gets the place of the one before it"`,
  );
});

test("refuses every mistake of drain, ready and bake at once", () => {
  const text = brokerWith(
    "drain: { deadline: 0s, onDeadline: force, force: true }",
    "bake: { time: 5m, first: 1m }",
    "ready:",
    "  timeout: 1d",
    "  checks:",
    "    - { name: Big Check, http: 'ftp://{address}' }",
    "    - { name: both, http: 'http://{address}/', command: [probe] }",
    "    - { name: none }",
    "    - { name: both, http: 'http://{adress}/', interval: 0s }",
    "    - { name: stray, http: 'http://{host}/', expect: { exitCode: 0 } }",
    "    - { name: other, command: [probe, '{hostname}'], status: 200, contains: ok }",
    "    - { name: shell, command: [] }",
    "    - { name: which, command: ['{host}'] }",
    "    - { name: secret, http: 'http://ops:hunter2@{host}/' }",
    "    - { name: nowhere, http: 'http://{host}:port/' }",
    "    - { name: own, command: [probe, '{host}'], scope: group, env: [NOMAD_TOKEN, aws_profile, A-B, KAFKA_OPTS] }",
    "    - { name: rights, http: 'http://{addresses}/', headers: { 'X Y': SEARCH, authorization: CONSUL_HTTP_TOKEN_FILE } }",
    "    - { name: all, http: 'http://{addresses}/', scope: group }",
    "    - { name: any, http: 'http://{address}/', scope: cluster, when: before, env: [HOME] }",
  );
  expect(refusal(text)).toMatchInlineSnapshot(`
   "cluster.yaml:32: pools.broker.drain.deadline: got "0s"; expected a duration from 1s to 168h: a whole number and s, m or h, such as 90s, 15m or 1h
   cluster.yaml:32: pools.broker.drain.force: unknown key; known here: deadline, onDeadline
   cluster.yaml:32: pools.broker.drain.onDeadline: got "force"; expected fail or accept
   cluster.yaml:33: pools.broker.bake.first: got "1m"; expected at least the 5m of bake.time, which every group has to hold
   cluster.yaml:35: pools.broker.ready.timeout: got "1d"; expected a duration from 10s to 24h: a whole number and s, m or h, such as 90s, 15m or 1h
   cluster.yaml:37: pools.broker.ready.checks[0].http: got "ftp://{address}"; expected a URL of http or https, such as http://{address}:8080/health
   cluster.yaml:37: pools.broker.ready.checks[0].name: got "Big Check"; expected a name in lower-case letters, digits and single hyphens, such as replicas-in-sync
   cluster.yaml:38: pools.broker.ready.checks[1]: has both http and command; expected one of them: http (a URL) or command (a program and its arguments)
   cluster.yaml:39: pools.broker.ready.checks[2]: has neither http nor command; expected one of them: http (a URL) or command (a program and its arguments)
   cluster.yaml:40: pools.broker.ready.checks[3].http: names {adress}, which stands for nothing; known here: {host}, {address}, {group}
   cluster.yaml:40: pools.broker.ready.checks[3].interval: got "0s"; expected a duration from 1s to 10m: a whole number and s, m or h, such as 90s, 15m or 1h
   cluster.yaml:40: pools.broker.ready.checks[3].name: got "both" a second time; expected a name of its own for each check of a pool
   cluster.yaml:41: pools.broker.ready.checks[4].expect: not allowed: it is for command; http has status, contains and headers
   cluster.yaml:42: pools.broker.ready.checks[5].command[1]: names {hostname}, which stands for nothing; known here: {host}, {address}, {group}
   cluster.yaml:42: pools.broker.ready.checks[5].contains: not allowed: it is for http; command has expect and env
   cluster.yaml:42: pools.broker.ready.checks[5].status: not allowed: it is for http; command has expect and env
   cluster.yaml:43: pools.broker.ready.checks[6].command: got []; expected a list of a program and its arguments, such as [mqadmin, haStatus, -b, '{address}:10911']
   cluster.yaml:44: pools.broker.ready.checks[7].command[0]: got "{host}"; expected the name or path of a program, the same for every machine
   cluster.yaml:45: pools.broker.ready.checks[8].http: has a user or password in it; expected a URL without: a spec holds no secret
   cluster.yaml:46: pools.broker.ready.checks[9].http: got "http://{host}:port/"; expected a URL such as http://{address}:8080/health
   cluster.yaml:47: pools.broker.ready.checks[10].command[1]: names {host}, which stands for nothing; known here: {group}, {hosts}, {addresses}
   cluster.yaml:47: pools.broker.ready.checks[10].env[0]: got "NOMAD_TOKEN"; expected a variable of its own, with fewer rights: with this one it could take the cluster apart
   cluster.yaml:47: pools.broker.ready.checks[10].env[1]: got "aws_profile"; expected a variable of its own, with fewer rights: with this one it could take the cluster apart
   cluster.yaml:47: pools.broker.ready.checks[10].env[2]: got "A-B"; expected the name of an environment variable, such as KAFKA_OPTS
   cluster.yaml:48: pools.broker.ready.checks[11].headers.authorization: got "CONSUL_HTTP_TOKEN_FILE"; expected a variable of its own, with fewer rights: with this one it could take the cluster apart
   cluster.yaml:48: pools.broker.ready.checks[11].headers["X Y"]: got "SEARCH"; expected headers and the environment variables that hold them, such as { Authorization: SEARCH_AUTH }
   cluster.yaml:48: pools.broker.ready.checks[11].http: names {addresses}, which stands for nothing; known here: {host}, {address}, {group}
   cluster.yaml:49: pools.broker.ready.checks[12].http: got "http://{addresses}/"; expected one host: where all are asked at once it is a command
   cluster.yaml:50: pools.broker.ready.checks[13].env: not allowed: it is for command; http has status, contains and headers
   cluster.yaml:50: pools.broker.ready.checks[13].scope: got "cluster"; expected one of machine, group, pool
   cluster.yaml:50: pools.broker.ready.checks[13].when: got "before"; expected after, or nothing at all"
  `);
});

test("refuses a drain in a pool of servers, with the reason", () => {
  const text = exampleWith(["  nomad-server:\n", "  nomad-server:\n    drain: { deadline: 1h }\n"]);
  expect(refusal(text)).toMatchInlineSnapshot(
    `"cluster.yaml:18: pools.nomad-server.drain: not allowed: it is for client pools; servers run no work"`,
  );
});

test("refuses a first bake that is shorter than the default", () => {
  expect(refusal(brokerWith("bake: { first: 10s }"))).toMatchInlineSnapshot(
    `"cluster.yaml:32: pools.broker.bake.first: got "10s"; expected at least the 30s of bake.time, which every group has to hold"`,
  );
});

test("a bake that is longer for the first group, or as long, is none of these mistakes", () => {
  expect(gateSettingsOf("broker", specOf(brokerWith("bake: { first: 30s }"))).bake).toEqual({
    seconds: 30,
    firstSeconds: 30,
  });
});

test("placeholders are whole words, and what is put in is not read again", () => {
  const machine = { host: "broker-0-1", address: "10.0.0.7", group: "broker-0" };
  expect(fillIn("{host} {address}:80 {group} {hosts} {host", machine)).toBe(
    "broker-0-1 10.0.0.7:80 broker-0 {hosts} {host",
  );
  expect(fillIn("{host}{address}", { ...machine, host: "{address}" })).toBe("{address}10.0.0.7");
});

test("a text without placeholders is left as it is", () => {
  fc.assert(
    fc.property(
      fc.string().filter((text) => !/\{(host|address|group)\}/.test(text)),
      (text) => {
        expect(fillIn(text, { host: "$&", address: "$1", group: "$`" })).toBe(text);
      },
    ),
  );
});

/** The example with more lines in the pool broker. */
const brokerWith = (...lines: readonly string[]): string =>
  exampleWith(["    workload: stays", `${lines.map((line) => `    ${line}\n`).join("")}    workload: stays`]);

const checks = (...lines: readonly string[]): string => `ready: { checks: [${lines.join(", ")}] }`;

/** The example, with lines in the pool that has no data volumes. */
const surging = (...lines: readonly string[]): string =>
  exampleWith(["  name-server:\n", `  name-server:\n${lines.map((line) => `    ${line}\n`).join("")}`]);
