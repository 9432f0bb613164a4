import { once } from "node:events";
import { existsSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { execa } from "execa";
import { Ssh } from "../../../clients/ssh/ssh.js";
import { openTunnel, TunnelOnDemand, type Tunnel } from "../../../clients/ssh/tunnel.js";
import { describeReal } from "../../support/environment.js";
import { refusal } from "../../support/refusal.js";
import { startSshd, type ClientOptions, type Sshd } from "../../support/sshd.js";

describeReal("A tunnel through a real sshd", ["sshd"], () => {
  let sshd: Sshd;
  let agent: Server;
  let port: number;
  const client = async (options?: ClientOptions): Promise<Ssh> => new Ssh({ env: await sshd.env(options) });

  beforeAll(async () => {
    sshd = await startSshd();
    agent = createServer((incoming, response) => {
      response.end(`${String(incoming.method)} ${String(incoming.url)}`);
    }).listen(0, "127.0.0.1");
    await once(agent, "listening");
    const address = agent.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    port = address.port;
  });
  afterAll(async () => {
    agent.close();
    agent.closeAllConnections();
    await sshd.stop();
  });

  test("carries HTTP from a socket that is nobody else's, and is gone when it is closed", async () => {
    const tunnel = await openTunnel(await client(), "machine", port);
    expect((await stat(dirname(tunnel.socketPath))).mode & 0o777).toBe(0o700);
    expect(await get(tunnel, "/v1/agent/self")).toBe("GET /v1/agent/self");
    expect(await get(tunnel, "/v1/agent/members")).toBe("GET /v1/agent/members");
    expect(tunnel.isOpen()).toBe(true);

    await tunnel.close();
    expect(tunnel.isOpen()).toBe(false);
    expect(existsSync(dirname(tunnel.socketPath))).toBe(false);
    await tunnel.close();
  });

  test("opens also where ssh_config clears forwardings and shares connections", async () => {
    const lines = ["ClearAllForwardings yes", "ControlMaster auto", `ControlPath ${sshd.folder}/%C`];
    const tunnel = await openTunnel(await client({ lines }), "machine", port);
    expect(await get(tunnel, "/")).toBe("GET /");
    await tunnel.close();
    await expect(get(tunnel, "/")).rejects.toThrow("ENOENT");
  });

  test("resets a connection when nothing listens at the other end, and stays open", async () => {
    const spare = createServer().listen(0, "127.0.0.1");
    await once(spare, "listening");
    const address = spare.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    spare.close();
    await once(spare, "close");
    const tunnel = await openTunnel(await client(), "machine", address.port);
    await expect(get(tunnel, "/")).rejects.toThrow(/socket hang up|ECONNRESET|EPIPE/);
    expect(tunnel.isOpen()).toBe(true);
    await tunnel.close();
  });

  test("ends with the process that opened it, also when that is killed", async () => {
    const modules = new URL("../../../dist/clients/ssh/", pathToFileURL(import.meta.filename));
    const script = `
      const { Ssh } = await import(${JSON.stringify(new URL("ssh.js", modules).href)});
      const { openTunnel } = await import(${JSON.stringify(new URL("tunnel.js", modules).href)});
      const { socketPath } = await openTunnel(new Ssh(), "machine", ${String(port)});
      console.log(socketPath);
    `;
    const child = execa(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...(await sshd.env()), NODE_OPTIONS: "" },
      reject: false,
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const socketPath = line.toString().trim();
    const tunnel = { socketPath };
    expect(await get(tunnel, "/")).toBe("GET /");

    child.kill("SIGKILL");
    await child;
    await until(() =>
      get(tunnel, "/").then(
        () => false,
        () => true,
      ),
    );
    await rm(dirname(socketPath), { recursive: true });
  });

  test("opens on demand, once for all who ask, and again when it has broken", async () => {
    const ssh = await client();
    const opened: Tunnel[] = [];
    const onDemand = new TunnelOnDemand(async () => {
      const tunnel = await openTunnel(ssh, "machine", port);
      opened.push(tunnel);
      return tunnel;
    });
    expect(opened).toHaveLength(0);
    const [first, second] = await Promise.all([onDemand.socketPath(), onDemand.socketPath()]);
    expect(second).toBe(first);
    expect(opened).toHaveLength(1);

    await opened[0]?.close();
    const third = await onDemand.socketPath();
    expect(third).not.toBe(first);
    expect(await get({ socketPath: third }, "/again")).toBe("GET /again");

    await onDemand.close();
    expect(existsSync(third)).toBe(false);
  });

  test("on demand tries anew after a failure", async () => {
    const [wrong, right] = [await client({ rightKey: false }), await client()];
    const clients = [wrong, right];
    const onDemand = new TunnelOnDemand(() => openTunnel(clients.shift() ?? right, "machine", port));
    expect(await refusal(onDemand.socketPath())).toMatchObject({ kind: "permission-denied" });
    expect(await get({ socketPath: await onDemand.socketPath() }, "/")).toBe("GET /");
    await onDemand.close();
  });

  test("refuses a machine whose host key is not known", async () => {
    const ssh = await client({ knownHost: "nothing" });
    expect(await refusal(openTunnel(ssh, "machine", port))).toMatchObject({ kind: "host-key-unknown" });
  });

  test("refuses to wait for ever", async () => {
    const stuck = openTunnel(await client(), "machine", port, 1);
    expect(await refusal(stuck)).toEqual({
      kind: "timeout",
      message:
        "did not open in time: a tunnel to machine, after 0.001 s; run it again, and look at the machine if it stays so",
    });
  });

  test("refuses a destination that could be an option", async () => {
    await expect(openTunnel(await client(), "-v", port)).rejects.toThrow('no ssh destination: "-v"; ');
  });
});

function get({ socketPath }: Pick<Tunnel, "socketPath">, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on("end", () => {
        resolve(body);
      });
    });
    outgoing.on("error", reject).end();
  });
}

/** Looks again and again, with what the look itself takes in between. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(setImmediate);
}
