import { chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { execa } from "execa";
import { ensureTerraform } from "../../cli/ensure-terraform.js";
import { findTerraform } from "../../clients/terraform/find.js";
import { makeKey, OpenTofuMirror, type SigningKey } from "../support/opentofu-mirror.js";
import { failure } from "../support/refusal.js";

const NONE =
  "Terraform is not installed: looked for terraform and tofu on the PATH; install Terraform 1.9 or newer (developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org/docs/intro/install), or name a binary by TERRAFORM_BINARY_NAME";

let key: SigningKey;
let mirror: OpenTofuMirror;
let folder: string;
let notes: string[];

beforeAll(async () => {
  key = await makeKey();
});

beforeEach(async () => {
  mirror = await OpenTofuMirror.start(key, "#!/bin/sh\necho fetched\n");
  folder = mkdtempSync(join(tmpdir(), "rollout-ensure-"));
  notes = [];
});

afterEach(async () => {
  await mirror.close();
  rmSync(folder, { recursive: true });
});

const fetched = (): string => join(folder, ".cache", "opentofu", "1.12.6", "tofu");

/** A machine that has nothing on its PATH. Whoever sits at its terminal types `answer`; nobody sits there by default. */
function ensure(
  env: Readonly<Record<string, string>> = {},
  answer?: string,
): { done: Promise<string>; shown: PassThrough } {
  const input = Object.assign(new PassThrough(), { isTTY: answer !== undefined });
  const shown = new PassThrough();
  const done = ensureTerraform({
    env: { PATH: folder, ROLLOUT_DOWNLOAD_URL: mirror.url, ...env },
    folder,
    dialogue: { input, output: shown },
    note: (line) => notes.push(line.replaceAll(mirror.url, "MIRROR")),
    release: mirror.release,
  });
  if (answer !== undefined) input.end(`${answer}\n`);
  return { done, shown };
}

function put(name: string): string {
  writeFileSync(join(folder, name), "#!/bin/sh\n");
  chmodSync(join(folder, name), 0o755);
  return join(folder, name);
}

describe("Where there is neither Terraform nor OpenTofu, it", () => {
  test("is fetched and said where nobody can be asked, and found from then on", async () => {
    expect(await ensure().done).toBe(fetched());
    expect(notes).toEqual([
      "neither Terraform nor OpenTofu is on the PATH; fetching OpenTofu 1.12.6 (35 MB) from MIRROR into .cache (ROLLOUT_DOWNLOAD=never forbids it)",
      'fetched OpenTofu 1.12.6, checksum and signature verified; for cdktf: export TERRAFORM_BINARY_NAME="$PWD/.cache/opentofu/1.12.6/tofu"',
    ]);
    expect((await execa(fetched())).stdout).toBe("fetched");
    expect(await findTerraform({ PATH: folder }, folder)).toBe(fetched());

    const { length } = mirror.asked;
    expect(await ensure({ ROLLOUT_DOWNLOAD: "never" }).done).toBe(fetched());
    expect(mirror.asked).toHaveLength(length);
  });

  test("is fetched when a person at the terminal says yes", async () => {
    const { done, shown } = ensure({}, "yes");
    expect(await done).toBe(fetched());
    expect(String(shown.read()).replaceAll(mirror.url, "MIRROR")).toBe(
      "Neither Terraform nor OpenTofu is on the PATH. Fetch OpenTofu 1.12.6 (35 MB) from MIRROR into .cache?\nType yes to go on: ",
    );
    expect(notes).toHaveLength(1);
  });

  test.each(["no", ""])("is not fetched when a person answers %j", async (answer) => {
    expect(await failure(ensure({}, answer).done)).toBe(NONE);
    expect(mirror.asked).toEqual([]);
    expect(notes).toEqual([]);
  });

  test("is not fetched where that is forbidden, and nobody is asked", async () => {
    const { done, shown } = ensure({ ROLLOUT_DOWNLOAD: "never" }, "yes");
    expect(await failure(done)).toBe(NONE);
    expect(shown.read()).toBeNull();
    expect(mirror.asked).toEqual([]);
  });

  test("refuses any other word for that, and an address with a password, without printing it", async () => {
    expect(await failure(ensure({ ROLLOUT_DOWNLOAD: "no" }).done)).toBe(
      'ROLLOUT_DOWNLOAD is "no"; expected never, or nothing',
    );
    for (const secret of [
      "https://me:s3cret@mirror.example",
      "https://mirror.example/m?sig=s3cret",
      "s3cret",
    ])
      expect(await failure(ensure({ ROLLOUT_DOWNLOAD_URL: secret }).done)).toBe(
        "ROLLOUT_DOWNLOAD_URL is no address of a mirror; expected https://HOST/PATH, without a user, a password or a query",
      );
    expect(mirror.asked).toEqual([]);
  });
});

describe("Nothing is fetched", () => {
  test.each(["terraform", "tofu"])("where %s is on the PATH", async (name) => {
    expect(await ensure().done.then(() => findTerraform({ PATH: folder }, folder))).toBe(fetched());
    const program = put(name);
    const { length } = mirror.asked;
    expect(await ensure().done).toBe(program);
    expect(mirror.asked).toHaveLength(length);
  });

  test("in place of a binary that was named and is not there", async () => {
    expect(await failure(ensure({ TERRAFORM_BINARY_NAME: "terrafrom" }).done)).toMatch(
      /^Terraform is not installed: TERRAFORM_BINARY_NAME names terrafrom, /,
    );
    expect(mirror.asked).toEqual([]);
  });
});

describe("The command line", () => {
  const rollout = (...args: string[]) =>
    execa(process.execPath, [join(process.cwd(), "dist/bin/rollout.js"), ...args], {
      cwd: folder,
      env: {
        PATH: folder,
        TERRAFORM_BINARY_NAME: "",
        ROLLOUT_DOWNLOAD_URL: mirror.url,
        NODE_OPTIONS: "",
        FORCE_COLOR: undefined,
      },
      reject: false,
    });

  beforeEach(() => {
    symlinkSync(process.execPath, join(folder, "node"));
  });

  test("rehearse refuses what a mirror has signed with a key of its own", async () => {
    const { exitCode, stdout, stderr } = await rollout("rehearse");
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toContain(
      "_SHA256SUMS has the SHA-256 " + mirror.release.checksums + "; expected 6988e0cb",
    );
    expect(existsSync(join(folder, ".cache"))).toBe(false);
  });

  test("init makes the project all the same, and warns", async () => {
    const { exitCode, stdout, stderr } = await rollout("init");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^written: /);
    expect(stderr.split("\n").at(-1)).toMatch(/^warning: OpenTofu 1\.12\.6 was not fetched, /);
  });

  test("plan says what to install, and fetches nothing", async () => {
    await rollout("init");
    const { length } = mirror.asked;
    const { exitCode, stdout, stderr } = await rollout("plan");
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 1, stdout: "", stderr: NONE });
    expect(mirror.asked).toHaveLength(length);
  });
});
