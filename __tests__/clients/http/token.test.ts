import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { CONSUL, NOMAD } from "../../../clients/http/service.js";
import { readToken, Token } from "../../../clients/http/token.js";
import { rejection } from "./local-server.js";

const secret = "0c0ffee0-1111-2222-3333-444455556666";
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollout-token-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

test("a token shows itself only to who asks for it", () => {
  const token = new Token(secret);

  expect(token.reveal()).toBe(secret);
  expect([
    String(token),
    JSON.stringify({ token }),
    inspect({ token }, { depth: 9, showHidden: true }),
  ]).toEqual(["[token]", '{"token":"[token]"}', expect.not.stringContaining(secret)]);
});

test("the environment names it", async () => {
  const read = async (service: typeof CONSUL, env: Record<string, string>) =>
    (await readToken(service, env))?.reveal();

  expect(await read(CONSUL, { CONSUL_HTTP_TOKEN: secret })).toBe(secret);
  expect(await read(NOMAD, { NOMAD_TOKEN: ` ${secret}\n` })).toBe(secret);
  expect(await read(NOMAD, { CONSUL_HTTP_TOKEN: secret })).toBeUndefined();
  expect(await read(CONSUL, {})).toBeUndefined();
});

test("a file goes before the variable", async () => {
  const file = join(folder, "token");
  await writeFile(file, `${secret}\n`);

  const token = await readToken(CONSUL, { CONSUL_HTTP_TOKEN_FILE: file, CONSUL_HTTP_TOKEN: "other" });

  expect(token?.reveal()).toBe(secret);
});

test("refuses a file that is missing or empty", async () => {
  const missing = join(folder, "missing");
  const empty = join(folder, "empty");
  await writeFile(empty, "\n");

  expect((await rejection(readToken(CONSUL, { CONSUL_HTTP_TOKEN_FILE: missing }))).message).toBe(
    `CONSUL_HTTP_TOKEN_FILE cannot be read: ${missing} (ENOENT); name a file that holds nothing but the token`,
  );
  expect((await rejection(readToken(CONSUL, { CONSUL_HTTP_TOKEN_FILE: empty }))).message).toBe(
    `CONSUL_HTTP_TOKEN_FILE names an empty file: ${empty}; write the token into it, or unset it`,
  );
});

test("refuses what cannot be a token, and does not repeat it", async () => {
  const error = await rejection(readToken(NOMAD, { NOMAD_TOKEN: "two words" }));

  expect(error.message).toBe(
    "NOMAD_TOKEN is no token: it has spaces, line breaks or other characters that no token has; set it to the token alone",
  );
});
