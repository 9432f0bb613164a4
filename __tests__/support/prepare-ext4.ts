import { execa } from "execa";
import { missing, type Result } from "./prepared.js";

/** `mkfs.ext4`, `blkid` and `wipefs`, which Linux distributions have in a folder that not every login's PATH has. */
export async function prepareExt4(): Promise<Result> {
  const asked = await Promise.all([
    execa("mkfs.ext4", ["-V"], { env: { PATH: pathWithSbin() }, reject: false }),
    execa("blkid", ["-V"], { env: { PATH: pathWithSbin() }, reject: false }),
    execa("wipefs", ["-V"], { env: { PATH: pathWithSbin() }, reject: false }),
  ]);
  if (asked.some(({ failed }) => failed))
    return missing("mkfs.ext4, blkid and wipefs are not there (Debian's e2fsprogs and util-linux)");
  return { ok: true };
}

/** The PATH that root has. */
export const pathWithSbin = (): string => `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
