import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { execa } from "execa";
import { strToU8, zipSync } from "fflate";
import { fetchOpenTofu, platformOf } from "../../../clients/terraform/fetch-opentofu.js";
import { makeKey, OpenTofuMirror, sha256, type SigningKey } from "../../support/opentofu-mirror.js";
import { failure } from "../../support/refusal.js";

let key: SigningKey;
let mirror: OpenTofuMirror;
let folder: string;

beforeAll(async () => {
  key = await makeKey();
});

beforeEach(async () => {
  mirror = await OpenTofuMirror.start(key, "#!/bin/sh\necho fetched\n");
  folder = mkdtempSync(join(tmpdir(), "rollout-fetch-"));
});

afterEach(async () => {
  await mirror.close();
  rmSync(folder, { recursive: true });
});

const LIST = "tofu_1.12.6_SHA256SUMS";
const ARCHIVE = "tofu_1.12.6_linux_amd64.zip";

const fetched = (): string => join(folder, "cache", "tofu");

const fetchFrom = (from = mirror.url, release = mirror.release): Promise<void> =>
  fetchOpenTofu(release, { from, platform: "linux_amd64", file: fetched() });

/** Why it was not fetched; nothing may be left of the try. */
async function whyNot(from?: string, release = mirror.release): Promise<string> {
  const message = await failure(fetchFrom(from, release));
  expect(existsSync(join(folder, "cache"))).toBe(false);
  return message
    .replaceAll(mirror.url, "MIRROR")
    .replace(/^OpenTofu 1\.12\.6 was not fetched, and nothing is kept: /, "")
    .replace(
      "; install Terraform 1.9 or newer (developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org/docs/intro/install)",
      "",
    );
}

test("a good release becomes a program, and nothing else is kept", async () => {
  await fetchFrom(`${mirror.url}/`);
  expect((await execa(fetched())).stdout).toBe("fetched");
  expect(readdirSync(join(folder, "cache"))).toEqual(["tofu"]);
});

test("a release may be had by a redirect, as from where it is published", async () => {
  await fetchFrom(`${mirror.url}/elsewhere`);
  expect((await execa(fetched())).stdout).toBe("fetched");
  expect(mirror.asked).toContain(`/elsewhere/v1.12.6/${ARCHIVE}`);
});

test("says in one message what happened, where, and what to do", async () => {
  mirror.files.delete(ARCHIVE);
  expect(await failure(fetchFrom())).toBe(
    `OpenTofu 1.12.6 was not fetched, and nothing is kept: ${mirror.url}/v1.12.6/${ARCHIVE} answered 404; install Terraform 1.9 or newer (developer.hashicorp.com/terraform/install) or OpenTofu (opentofu.org/docs/intro/install)`,
  );
});

test.each([LIST, `${LIST}.gpgsig`, ARCHIVE])("refuses a mirror without %s", async (name) => {
  mirror.files.delete(name);
  expect(await whyNot()).toBe(`MIRROR/v1.12.6/${name} answered 404`);
});

test("refuses an archive that was damaged", async () => {
  const damaged = Buffer.from(mirror.files.get(ARCHIVE) ?? "");
  damaged[damaged.length >> 1] = (damaged[damaged.length >> 1] ?? 0) ^ 1;
  const expected = sha256(mirror.files.get(ARCHIVE) ?? Buffer.of());
  mirror.files.set(ARCHIVE, damaged);
  expect(await whyNot()).toBe(
    `MIRROR/v1.12.6/${ARCHIVE} has the SHA-256 ${sha256(damaged)}; expected ${expected}`,
  );
});

test("refuses a list that another key has signed, though it is the expected one", async () => {
  const other = await makeKey();
  mirror.files.set(`${LIST}.gpgsig`, await other.sign(mirror.files.get(LIST) ?? Buffer.of()));
  expect((await whyNot()).replace(/[0-9a-f]{16}/, "KEY")).toMatchInlineSnapshot(
    `"MIRROR/v1.12.6/tofu_1.12.6_SHA256SUMS.gpgsig is no signature by OpenTofu's key of that list: Error verifying signed message: Could not find signing key with key ID KEY"`,
  );
});

test("refuses the key's signature of something else", async () => {
  mirror.files.set(`${LIST}.gpgsig`, await key.sign(Buffer.from("another list")));
  expect(await whyNot()).toMatchInlineSnapshot(
    `"MIRROR/v1.12.6/tofu_1.12.6_SHA256SUMS.gpgsig is no signature by OpenTofu's key of that list: Error verifying signed message: Signed digest did not match"`,
  );
});

test("refuses what is no signature at all", async () => {
  mirror.files.set(`${LIST}.gpgsig`, Buffer.from("<html>"));
  expect(await whyNot()).toMatchInlineSnapshot(
    `"MIRROR/v1.12.6/tofu_1.12.6_SHA256SUMS.gpgsig is no signature by OpenTofu's key of that list: Error during parsing. This message / key probably does not conform to a valid OpenPGP format."`,
  );
});

test("refuses a list that the key has signed, and that is not the one of this release", async () => {
  const list = Buffer.from(`${sha256(Buffer.of())}  ${ARCHIVE}\n`);
  mirror.files.set(LIST, list).set(`${LIST}.gpgsig`, await key.sign(list));
  expect(await whyNot()).toBe(
    `MIRROR/v1.12.6/${LIST} has the SHA-256 ${sha256(list)}; expected ${mirror.release.checksums}`,
  );
});

test("refuses an archive that is not in the list, and one without the program", async () => {
  const renamed = Buffer.from(`${sha256(Buffer.of())}  x_${ARCHIVE}\n`);
  mirror.files.set(LIST, renamed).set(`${LIST}.gpgsig`, await key.sign(renamed));
  const release = { ...mirror.release, checksums: sha256(renamed) };
  expect(await whyNot(mirror.url, release)).toBe(`MIRROR/v1.12.6/${LIST} does not list ${ARCHIVE}`);

  const empty = Buffer.from(zipSync({ LICENSE: strToU8("none") }));
  const list = Buffer.from(`${sha256(empty)}  ${ARCHIVE}\n`);
  mirror.files
    .set(ARCHIVE, empty)
    .set(LIST, list)
    .set(`${LIST}.gpgsig`, await key.sign(list));
  expect(await whyNot(mirror.url, { ...release, checksums: sha256(list) })).toBe(
    `${ARCHIVE} has no file tofu`,
  );
});

test("refuses what is not encrypted and not on this machine, at first and by a redirect", async () => {
  expect(await whyNot("http://192.0.2.1")).toBe(
    `http://192.0.2.1/v1.12.6/${LIST} is not encrypted; expected https, or http on this machine`,
  );
  expect(await whyNot(`${mirror.url}/plain`)).toBe(
    `MIRROR/plain/v1.12.6/${LIST} leads to http://192.0.2.1, which is not encrypted; expected https, or http on this machine`,
  );
});

test.each(["secret", "broken"])(
  "refuses a mirror that leads to no address that could be printed: %s",
  async (kind) => {
    expect(await whyNot(`${mirror.url}/${kind}`)).toBe(
      `MIRROR/${kind}/v1.12.6/${LIST} leads to no address without a user or a password`,
    );
  },
);

test("says where it cannot be written", async () => {
  const file = join(folder, "a-file", "tofu");
  writeFileSync(join(folder, "a-file"), "");
  const { url: from, release } = mirror;
  expect(await failure(fetchOpenTofu(release, { from, platform: "linux_amd64", file }))).toContain(
    `nothing is kept: ${file} cannot be written: EEXIST; install Terraform`,
  );
});

test("refuses a mirror that leads round in a circle", async () => {
  expect(await whyNot(`${mirror.url}/round`)).toBe(
    `MIRROR/round/v1.12.6/${LIST} leads elsewhere more than 5 times`,
  );
  expect(mirror.asked).toHaveLength(6);
});

test("refuses an answer that ends early", async () => {
  expect(await whyNot(`${mirror.url}/short`)).toBe(
    `MIRROR/short/v1.12.6/${LIST} ended early: UND_ERR_SOCKET`,
  );
});

test("refuses a mirror that does not answer", async () => {
  await mirror.close();
  expect(await whyNot()).toBe(
    `MIRROR/v1.12.6/${LIST} cannot be had from ${new URL(mirror.url).host}: ECONNREFUSED`,
  );
});

test("is fetched for four platforms", () => {
  const platforms = (["linux", "darwin", "win32", "freebsd"] as const).flatMap((os) =>
    ["x64", "arm64", "ia32"].map((cpu) => platformOf(os, cpu)),
  );
  expect(platforms.filter((name) => name !== undefined)).toEqual([
    "linux_amd64",
    "linux_arm64",
    "darwin_amd64",
    "darwin_arm64",
  ]);
});
