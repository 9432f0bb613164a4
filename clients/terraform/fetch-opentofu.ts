import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { sha256 } from "../../cluster/sha256.js";
import { UserError } from "../../cluster/user-error.js";
import { codeOf, messageOf } from "../error-code.js";
import { putFile } from "../put-file.js";
import { HOW_TO_GET_IT } from "./find.js";
import { OPENTOFU_KEY } from "./opentofu-key.js";
import { OPENTOFU_VERSION } from "./opentofu.js";

/** A release of OpenTofu, and what proves that a download is that one. No setting of a user's changes the proof. */
export interface Release {
  readonly version: string;
  /** The SHA-256 of `tofu_VERSION_SHA256SUMS`, which lists the archives of all platforms. */
  readonly checksums: string;
  /** The public key that has signed the list. */
  readonly key: string;
}

export const OPENTOFU: Release = {
  version: OPENTOFU_VERSION,
  checksums: "6988e0cb8f4e9ebfa3b0999e44841549741b22d9b38873cb5b89074f1cddcb1c",
  key: OPENTOFU_KEY,
};

/** Where OpenTofu publishes its releases. A mirror has the same files under the same names: `v1.12.6/tofu_1.12.6_SHA256SUMS`. */
export const OPENTOFU_RELEASES = "https://github.com/opentofu/opentofu/releases/download";

const MOST_REDIRECTS = 5;

/** How an archive's name calls a platform; undefined where this program takes none from there. */
export function platformOf(os: NodeJS.Platform, cpu: string): string | undefined {
  const arch = new Map([
    ["x64", "amd64"],
    ["arm64", "arm64"],
  ]).get(cpu);
  return arch !== undefined && (os === "linux" || os === "darwin") ? `${os}_${arch}` : undefined;
}

/**
 * Fetches a release and puts its program into a file, once the list of checksums is the known one and signed, and the archive the
 * listed one.
 * @param from the address below which the releases lie: https, or http on this machine
 * @throws UserError where one of these is missing or something else; then there is no file
 */
export async function fetchOpenTofu(
  { version, checksums, key }: Release,
  { from, platform, file }: { readonly from: string; readonly platform: string; readonly file: string },
): Promise<void> {
  const fail = (why: string): UserError =>
    new UserError(`OpenTofu ${version} was not fetched, and nothing is kept: ${why}; ${HOW_TO_GET_IT}`);
  const base = `${from.replace(/\/+$/, "")}/v${version}/tofu_${version}`;
  const list = await download(`${base}_SHA256SUMS`, fail);
  if (sha256(list) !== checksums)
    throw fail(`${base}_SHA256SUMS has the SHA-256 ${sha256(list)}; expected ${checksums}`);
  const signature = await download(`${base}_SHA256SUMS.gpgsig`, fail);
  const flaw = await flawOfSignature(list, signature, key);
  if (flaw !== undefined)
    throw fail(`${base}_SHA256SUMS.gpgsig is no signature by OpenTofu's key of that list: ${flaw}`);
  const name = `tofu_${version}_${platform}.zip`;
  const listed = /^[0-9a-f]{64}/.exec(
    list
      .toString()
      .split("\n")
      .find((line) => line.endsWith(`  ${name}`)) ?? "",
  )?.[0];
  if (listed === undefined) throw fail(`${base}_SHA256SUMS does not list ${name}`);
  const archive = await download(`${base}_${platform}.zip`, fail);
  if (sha256(archive) !== listed)
    throw fail(`${base}_${platform}.zip has the SHA-256 ${sha256(archive)}; expected ${listed}`);
  const { unzipSync } = await import("fflate");
  const program = unzipSync(archive, { filter: (each) => each.name === "tofu" })["tofu"];
  if (program === undefined) throw fail(`${name} has no file tofu`);
  try {
    mkdirSync(dirname(file), { recursive: true });
    putFile(file, program, 0o755);
  } catch (error) {
    throw fail(`${file} cannot be written: ${codeOf(error)}`);
  }
}

/** Why a detached OpenPGP signature of some bytes is none by a key; undefined where it is one. */
export async function flawOfSignature(
  bytes: Uint8Array,
  signature: Uint8Array,
  key: string,
): Promise<string | undefined> {
  const { createMessage, readKey, readSignature, verify } = await import("openpgp");
  const verificationKeys = (await readKey({ armoredKey: key })).toPublic();
  const message = await createMessage({ binary: bytes });
  try {
    const parsed = await readSignature({ binarySignature: signature });
    await verify({ message, signature: parsed, verificationKeys, format: "binary", expectSigned: true });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** @param fail makes an error of what went wrong */
async function download(url: string, fail: (why: string) => UserError): Promise<Buffer> {
  let address = new URL(url);
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    if (!isSafe(address))
      throw fail(
        `${url} ${redirects > 0 ? `leads to ${address.origin}, which ` : ""}is not encrypted; expected https, or http on this machine`,
      );
    const { host } = address;
    const answer = await fetch(address, { redirect: "manual" }).catch((error: unknown) => {
      throw fail(`${url} cannot be had from ${host}: ${reasonOf(error)}`);
    });
    const location = answer.status >= 300 && answer.status < 400 ? answer.headers.get("location") : null;
    if (location === null) {
      if (!answer.ok) throw fail(`${url} answered ${String(answer.status)}`);
      return Buffer.from(
        await answer.arrayBuffer().catch((error: unknown) => {
          throw fail(`${url} ended early: ${reasonOf(error)}`);
        }),
      );
    }
    await answer.body?.cancel();
    const isAddress = URL.canParse(location, address.href);
    if (isAddress) address = new URL(location, address);
    // Neither is printed: what stands before a host is a secret.
    if (!isAddress || address.username !== "" || address.password !== "")
      throw fail(`${url} leads to no address without a user or a password`);
  }
  throw fail(`${url} leads elsewhere more than ${String(MOST_REDIRECTS)} times`);
}

/** Plain HTTP is for a mirror on this machine alone. */
const isSafe = ({ protocol, hostname }: URL): boolean =>
  protocol === "https:" || (protocol === "http:" && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname));

const reasonOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "cause" in error ? codeOf(error.cause) : messageOf(error);
