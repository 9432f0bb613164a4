import * as z from "zod";
import type { Moto } from "../support/moto.js";
import type { StateFile } from "./state-file.js";
import type { Workspace } from "./workspace.js";

const KEY = "demo/terraform.tfstate";

/** The bucket of a cluster's state, asked without Terraform. */
export class S3Bucket {
  /** For the spec. */
  static readonly backend = `{ type: s3, bucket: states, key: ${KEY}, region: eu-west-1, usePathStyle: true }`;

  private constructor(private readonly url: string) {}

  static async create({ url }: Moto): Promise<S3Bucket> {
    await fetch(`${url}/states`, { method: "PUT" });
    return new S3Bucket(`${url}/states/${KEY}`);
  }

  async state(): Promise<StateFile> {
    return (await (await this.#get("")).json()) as StateFile;
  }

  /** Takes the lock away that a Terraform has left that was killed, as its message says, in the folder of a view. */
  async unlock(workspace: Pick<Workspace, "terraformText">, view: string): Promise<void> {
    const lock = await this.#get(".tflock");
    if (!lock.ok) return;
    const { ID } = z.object({ ID: z.string() }).parse(await lock.json());
    const { exitCode, output } = await workspace.terraformText(view, ["force-unlock", "-force", ID]);
    if (exitCode !== 0) throw new Error(output);
  }

  #get(more: string): Promise<Response> {
    return fetch(`${this.url}${more}`, { headers: { authorization } });
  }
}

/** Moto checks no signature. */
const authorization =
  "AWS4-HMAC-SHA256 Credential=testing/20200101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=none";
