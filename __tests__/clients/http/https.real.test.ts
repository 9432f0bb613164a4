import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { HttpClient } from "../../../clients/http/http-client.js";
import { CONSUL, NOMAD, type Service } from "../../../clients/http/service.js";
import { readSettings } from "../../../clients/http/settings.js";
import type { Environment } from "../../../clients/environment.js";
import type { Endpoint } from "../../../clients/http/endpoint.js";
import { Authority, readPair } from "./certificates.js";
import { json, rejection, startServer, type LocalServer } from "./local-server.js";

let folder: string;
let ours: Authority;
let theirs: Authority;
let own: { cert: string; key: string };
/** Its certificate names server.dc1.consul alone, and it wants one of ours from whoever asks. */
let server: LocalServer;
/** Its certificate names 127.0.0.1. */
let open: LocalServer;
let tunnel: LocalServer;
const names: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollout-https-"));
  ours = await Authority.create(folder, "ours");
  theirs = await Authority.create(folder, "theirs");
  own = await ours.issue("rollout", "DNS:rollout");
  const ca = await readFile(ours.certificate, "utf8");
  const strict = await readPair(await ours.issue("agent", "DNS:server.dc1.consul"));
  const tls = { ...strict, ca, requestCert: true, rejectUnauthorized: true };
  const reply = json({ ok: true });
  const noting: typeof reply = (response, request) => {
    names.push("servername" in request.socket ? String(request.socket.servername) : "");
    reply(response, request);
  };
  server = await startServer(noting, { tls });
  open = await startServer(reply, { tls: await readPair(await ours.issue("local", "IP:127.0.0.1")) });
  tunnel = await startServer(noting, { tls, socketPath: join(folder, "tunnel.sock") });
});

afterAll(async () => {
  await Promise.all([server, open, tunnel].map((each) => each.close()));
  await rm(folder, { recursive: true });
});

test("an own authority, an own certificate, and a name that is not the address", async () => {
  await ask(CONSUL, {
    CONSUL_HTTP_ADDR: server.url,
    CONSUL_CACERT: ours.certificate,
    CONSUL_CLIENT_CERT: own.cert,
    CONSUL_CLIENT_KEY: own.key,
    CONSUL_TLS_SERVER_NAME: "server.dc1.consul",
  });

  expect(server.requests.length).toBe(1);
  expect(names).toEqual(["server.dc1.consul"]);
});

test("Nomad's variables do the same", async () => {
  await ask(NOMAD, { NOMAD_ADDR: open.url, NOMAD_CACERT: ours.certificate });

  expect(open.requests.length).toBe(1);
});

test("a folder of authorities", async () => {
  const authorities = join(folder, "authorities");
  await mkdir(authorities);
  await writeFile(join(authorities, "a.pem"), await readFile(theirs.certificate));
  await writeFile(join(authorities, "b.crt"), await readFile(ours.certificate));
  await writeFile(join(authorities, "README"), "no certificate");

  await ask(NOMAD, { NOMAD_ADDR: open.url, NOMAD_CAPATH: authorities });

  expect(open.requests.length).toBe(2);
});

test("a tunnel: a socket on this machine, the agent's own name in its certificate", async () => {
  const endpoint = {
    url: "https://127.0.0.1:8501",
    socketPath: join(folder, "tunnel.sock"),
  };

  await ask(
    CONSUL,
    {
      CONSUL_CACERT: ours.certificate,
      CONSUL_CLIENT_CERT: own.cert,
      CONSUL_CLIENT_KEY: own.key,
      CONSUL_TLS_SERVER_NAME: "server.dc1.consul",
    },
    endpoint,
  );

  expect(tunnel.requests).toEqual(["GET /v1/thing"]);
});

test("refuses an agent that another authority has signed", async () => {
  const error = await rejection(ask(NOMAD, { NOMAD_ADDR: open.url, NOMAD_CACERT: theirs.certificate }));

  expect(error.message).toMatch(
    /^Nomad did not answer: GET \/v1\/thing at https:\/\/127\.0\.0\.1:\d+ \(UNABLE_TO_VERIFY_LEAF_SIGNATURE: unable to verify the first certificate\); see that/,
  );
});

test("refuses an agent that no authority of Node's has signed", async () => {
  const error = await rejection(ask(NOMAD, { NOMAD_ADDR: open.url }));

  expect(error.message).toContain("unable to verify the first certificate");
});

test("refuses an agent whose certificate has another name", async () => {
  const error = await rejection(
    ask(CONSUL, {
      CONSUL_HTTP_ADDR: server.url,
      CONSUL_CACERT: ours.certificate,
      CONSUL_CLIENT_CERT: own.cert,
      CONSUL_CLIENT_KEY: own.key,
    }),
  );

  expect(error.message).toContain("ERR_TLS_CERT_ALTNAME_INVALID");
  expect(error).toMatchObject({ wasSent: false });
});

test("refuses in words when the agent wants a certificate and there is none", async () => {
  const before = server.requests.length;

  const error = await rejection(
    ask(CONSUL, {
      CONSUL_HTTP_ADDR: server.url,
      CONSUL_CACERT: ours.certificate,
      CONSUL_TLS_SERVER_NAME: "server.dc1.consul",
    }),
  );

  expect(error.message).toContain(`Consul did not answer: GET /v1/thing at ${server.url}`);
  expect(server.requests.length).toBe(before);
});

test("settings of encryption are not looked at where no address is encrypted", async () => {
  const { access } = await readSettings(CONSUL, {
    CONSUL_HTTP_ADDR: "10.0.0.1:8500",
    CONSUL_CACERT: "missing.pem",
  });

  expect(access).toEqual({});
});

const encrypted = { CONSUL_HTTP_ADDR: "https://10.0.0.1:8501", NOMAD_ADDR: "https://10.0.0.1:4646" };

test.each<[Environment, Service, string]>([
  [
    { CONSUL_HTTP_SSL_VERIFY: "false" },
    CONSUL,
    "CONSUL_HTTP_SSL_VERIFY is false: an agent that is not verified would be handed the token; unset it and name the authority in CONSUL_CACERT, " +
      "and the name in the agent's certificate in CONSUL_TLS_SERVER_NAME where it is not the address",
  ],
  [
    { NOMAD_SKIP_VERIFY: "1" },
    NOMAD,
    "NOMAD_SKIP_VERIFY is true: an agent that is not verified would be handed the token; unset it and name the authority in NOMAD_CACERT, " +
      "and the name in the agent's certificate in NOMAD_TLS_SERVER_NAME where it is not the address",
  ],
  [
    { NOMAD_CACERT: "/no/such.pem" },
    NOMAD,
    "NOMAD_CACERT cannot be used: /no/such.pem (ENOENT); name a readable PEM file",
  ],
  [
    { CONSUL_CACERT: "package.json" },
    CONSUL,
    "CONSUL_CACERT cannot be used: package.json (no PEM); name a readable PEM file",
  ],
  [
    { CONSUL_CAPATH: "cluster" },
    CONSUL,
    "CONSUL_CAPATH cannot be used: cluster (no .pem, .crt or .cer file in it); name a folder with PEM files",
  ],
])("refuses settings of %j", async (env, service, message) => {
  expect((await rejection(readSettings(service, { ...encrypted, ...env }))).message).toBe(message);
});

test("refuses a certificate without its key", async () => {
  const settings = readSettings(CONSUL, { ...encrypted, CONSUL_CLIENT_CERT: own.cert });

  expect((await rejection(settings)).message).toBe(
    "CONSUL_CLIENT_CERT and CONSUL_CLIENT_KEY belong together: only CONSUL_CLIENT_CERT is set; set both or neither",
  );
});

async function ask(service: Service, env: Environment, ...at: Endpoint[]): Promise<void> {
  const client = new HttpClient(service, await readSettings(service, env, ...at), { attempts: 1 });
  try {
    await client.tell({ path: "/v1/thing" });
  } finally {
    await client.close();
  }
}
