import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { strToU8, zipSync } from "fflate";
import { createMessage, generateKey, readPrivateKey, sign } from "openpgp";
import type { Release } from "../../clients/terraform/fetch-opentofu.js";

/** A key as OpenTofu has one, of its own. */
export interface SigningKey {
  readonly publicKey: string;
  readonly sign: (bytes: Uint8Array) => Promise<Buffer>;
}

export async function makeKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKey({ userIDs: [{ name: "nobody" }] });
  const signingKeys = await readPrivateKey({ armoredKey: privateKey });
  return {
    publicKey,
    sign: async (bytes) =>
      Buffer.from(
        await sign({
          message: await createMessage({ binary: bytes }),
          signingKeys,
          detached: true,
          format: "binary",
        }),
      ),
  };
}

/** Where a mirror leads to, by how its address begins. */
const LEADS_TO: Readonly<Record<string, string>> = {
  plain: "http://192.0.2.1/x",
  secret: "https://me:s3cret@mirror.example/x",
  broken: "http://[bad",
};

/** Serves a release of OpenTofu on this machine, until it is closed. What is served may be changed, by name. */
export class OpenTofuMirror {
  readonly asked: string[] = [];
  url = "";

  private constructor(
    readonly files: Map<string, Buffer>,
    readonly release: Release,
    private readonly server: Server,
  ) {}

  /** @param program the text of the program in it, of every platform */
  static async start(key: SigningKey, program: string): Promise<OpenTofuMirror> {
    const version = "1.12.6";
    const archive = Buffer.from(zipSync({ LICENSE: strToU8("none"), tofu: strToU8(program) }));
    const names = ["linux", "darwin"].flatMap((os) =>
      ["amd64", "arm64"].map((cpu) => `tofu_${version}_${os}_${cpu}.zip`),
    );
    const list = Buffer.from(names.map((name) => `${sha256(archive)}  ${name}\n`).join(""));
    const files = new Map([
      ...names.map((name) => [name, archive] as const),
      [`tofu_${version}_SHA256SUMS`, list],
      [`tofu_${version}_SHA256SUMS.gpgsig`, await key.sign(list)],
    ]);
    const server = createServer();
    const mirror = new OpenTofuMirror(
      files,
      { version, checksums: sha256(list), key: key.publicKey },
      server,
    );
    server.on("request", ({ url = "" }, answer) => {
      mirror.asked.push(url);
      const redirected = /^\/elsewhere(\/.*)$/.exec(url)?.[1];
      const kind = url.split("/")[1] ?? "";
      const location = { ...LEADS_TO, round: url }[kind] ?? redirected;
      if (location !== undefined) {
        answer.writeHead(302, { location }).end();
        return;
      }
      if (url.startsWith("/short/")) {
        answer.writeHead(200, { "content-length": 9 }).write("short", () => answer.destroy());
        return;
      }
      const content = files.get(/^\/v1\.12\.6\/(.+)$/.exec(url)?.[1] ?? "");
      answer.writeHead(content === undefined ? 404 : 200).end(content);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    mirror.url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    return mirror;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
