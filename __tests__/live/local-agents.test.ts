import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { localEnvironment } from "../../live/local-agents.js";
import { MachinesFolder } from "../../clients/local-machines/machines-folder.js";
import { localMachines } from "../../clients/local-machines/machines.js";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollout-local-agents-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("what the environment says of another cluster is not asked, and gets nobody's token", () => {
  const written = new MachinesFolder(join(folder, "machines"));
  for (const role of ["consul-server", "nomad-server"] as const) {
    written.write({
      name: `${role}-0-0`,
      role,
      agents: "simulated",
      address: "10.0.0.1",
      consul: `http://127.0.0.1:1/${role}/consul`,
      ...(role === "nomad-server" ? { nomad: "http://127.0.0.1:1/nomad" } : {}),
      startedAt: "2026-01-01T00:00:00.000Z",
    });
  }
  const env = {
    PATH: "/bin",
    CONSUL_HTTP_ADDR: "https://consul.prod:8501",
    CONSUL_HTTP_TOKEN: "secret",
    NOMAD_ADDR: "https://nomad.prod:4646",
    NOMAD_TOKEN: "secret",
    ROLLOUT_CONSUL_ADDRS: "ssh",
    ROLLOUT_NOMAD_ADDRS: "https://nomad.prod:4646,https://nomad.prod:4647",
  };
  expect(localEnvironment(localMachines(folder), env)).toEqual({
    PATH: "/bin",
    CONSUL_HTTP_ADDR: "http://127.0.0.1:1/consul-server/consul",
    NOMAD_ADDR: "http://127.0.0.1:1/nomad",
  });
});

test("refuses a cluster of which no server runs", () => {
  expect(() => localEnvironment(localMachines(folder), {})).toThrow(
    /^no Consul server runs on platform local \(.*machines\); destroy the cluster with protection: off, and create it again$/,
  );
});
