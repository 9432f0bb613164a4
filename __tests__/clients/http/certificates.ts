import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

/** An authority of the test's own, and what it has signed; all as PEM files. */
export class Authority {
  readonly certificate: string;
  readonly #key: string;

  private constructor(
    readonly folder: string,
    readonly name: string,
  ) {
    this.certificate = join(folder, `${name}.pem`);
    this.#key = join(folder, `${name}.key`);
  }

  static async create(folder: string, name: string): Promise<Authority> {
    const authority = new Authority(folder, name);
    const files = ["-keyout", authority.#key, "-out", authority.certificate];
    await openssl(["req", "-x509", ...newKey, "-days", "2", "-subj", `/CN=${name}`, ...files]);
    return authority;
  }

  /** @param san `DNS:server.dc1.consul,IP:127.0.0.1` */
  async issue(name: string, san: string): Promise<{ cert: string; key: string }> {
    const [cert, key] = [join(this.folder, `${name}.pem`), join(this.folder, `${name}.key`)];
    const request = join(this.folder, `${name}.csr`);
    await openssl(["req", ...newKey, "-subj", `/CN=${name}`, "-keyout", key, "-out", request]);
    const signer = ["-CA", this.certificate, "-CAkey", this.#key, "-CAcreateserial", "-days", "2"];
    const names = join(this.folder, `${name}.ext`);
    await writeFile(names, `subjectAltName=${san}\n`);
    await openssl(["x509", "-req", "-in", request, "-out", cert, ...signer, "-extfile", names]);
    return { cert, key };
  }
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

async function openssl(args: readonly string[]): Promise<void> {
  await execa("openssl", args);
}

/** What `node:https` wants in place of file names. */
export async function readPair(pair: { readonly cert: string; readonly key: string }) {
  return { cert: await readFile(pair.cert, "utf8"), key: await readFile(pair.key, "utf8") };
}
