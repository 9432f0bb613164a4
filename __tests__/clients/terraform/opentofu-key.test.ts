import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { readKey } from "openpgp";
import { flawOfSignature, OPENTOFU } from "../../../clients/terraform/fetch-opentofu.js";

/** A release as OpenTofu has published it: the list of its archives, and its signature. */
const published = (name: string): Buffer =>
  readFileSync(`__tests__/clients/terraform/opentofu-1.8.5/${name}`);

test("the key is OpenTofu's, and nobody else's beside it", async () => {
  const key = await readKey({ armoredKey: OPENTOFU.key });
  expect(key.getFingerprint().toUpperCase()).toBe("E3E6E43D84CB852EADB0051D0C0AF313E5FD9F80");
  expect(key.getUserIDs().map((name) => name.replace(/^.*</, "<"))).toEqual(["<core@opentofu.org>"]);
});

test("the signature of a release of OpenTofu is one of that key", async () => {
  expect(
    await flawOfSignature(published("SHA256SUMS"), published("SHA256SUMS.gpgsig"), OPENTOFU.key),
  ).toBeUndefined();
});

test("refuses the same signature where a digit of one checksum is another", async () => {
  const list = published("SHA256SUMS");
  list[0] = "1".charCodeAt(0);
  expect(await flawOfSignature(list, published("SHA256SUMS.gpgsig"), OPENTOFU.key)).toMatchInlineSnapshot(
    `"Error verifying signed message: Signed digest did not match"`,
  );
});
