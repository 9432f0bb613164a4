import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Something that the tests need: it is there (with its properties), or it is not, for a reason that people can act on. */
export type Result<T extends object = object> =
  ({ readonly ok: true } & T) | { readonly ok: false; readonly reason: string };

/** A Terraform (or OpenTofu) binary and what is known of it. */
export interface Terraform {
  readonly binary: string;
  readonly version: string;
  /** `linux_amd64`, as in a provider mirror. */
  readonly platform: string;
  /** The registry that an address such as `hashicorp/aws` means to this binary. */
  readonly registry: string;
}

/** Where the providers come from. */
export interface Providers {
  readonly aws: Result;
  readonly null: Result;
  /** The Terraform CLI configuration that finds them. */
  readonly cliConfig: string;
}

/** What a test run has to work with. It holds for one run and is never read by a later one. */
export interface Prepared extends Providers {
  readonly terraform: Result<Terraform>;
  /** OpenTofu, which may be the same. */
  readonly tofu: Result<{ readonly binary: string }>;
  readonly moto: Result<{ readonly binary: string }>;
  readonly consul: Result<{ readonly binary: string }>;
  readonly nomad: Result<{ readonly binary: string }>;
  /** The programs that make and recognise a file system. */
  readonly ext4: Result;
  readonly sshd: Result<{ readonly binary: string }>;
  readonly fleet: Result;
  readonly kafka: Result<{ readonly folder: string }>;
  readonly rocketmq: Result<{ readonly folder: string }>;
}

/** The exact provider versions that the tests' specs ask for. */
export const providerVersions = { aws: "5.100.0", null: "3.2.4" } as const;

/** This folder. */
export const supportFolder = dirname(fileURLToPath(import.meta.url));

/** What is prepared once and kept for later runs; git ignores it. */
export const cacheFolder = join(supportFolder, "..", "..", ".cache", "tests");

/** A `Result` that says what is missing. */
export function missing(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}

/** Tells the person who waits what is being prepared: only for steps that take seconds or more. */
export function announce(step: string): void {
  process.stderr.write(`preparing the tests: ${step}\n`);
}

/** Writes a file so that a reader sees all of it or nothing. */
export async function writeWhole(file: string, content: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const unfinished = `${file}.${String(process.pid)}`;
  await writeFile(unfinished, content);
  await rename(unfinished, file);
}

/** The first line of an error of a process or of Node. (In Jest, Node's errors are of another realm: no `instanceof`.) */
export function firstLine(error: unknown): string {
  const isObject = typeof error === "object" && error !== null;
  const text =
    isObject && "shortMessage" in error
      ? error.shortMessage
      : isObject && "message" in error
        ? error.message
        : error;
  return String(text).split("\n", 1)[0] ?? "";
}

/** The first of these that exists. */
export function firstExisting(paths: readonly string[]): string | undefined {
  return paths.find((path) => existsSync(path));
}
