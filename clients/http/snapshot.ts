import { open, rename, rm, type FileHandle } from "node:fs/promises";
import type { Readable } from "node:stream";
import { UserError } from "../../cluster/user-error.js";
import { codeOf } from "../error-code.js";
import type { Call, HttpClient } from "./http-client.js";
import { TooLong } from "./read-text.js";

const TIMEOUT = 600;
const LARGEST = 8 * 1024 ** 3;

/**
 * Streams a snapshot into a file beside the one that is wanted, and renames it once it is whole.
 * @throws UserError when the file cannot be written; a ClientError when the snapshot cannot be had
 */
export async function saveSnapshot(
  http: HttpClient,
  asked: Pick<Call, "path" | "permission">,
  file: string,
  signal?: AbortSignal,
): Promise<void> {
  const unfinished = `${file}.${String(process.pid)}.unfinished`;
  const call = { ...asked, timeout: TIMEOUT, signal };
  const handle = await toDisk(file, () => open(unfinished, "w", 0o600));
  try {
    try {
      await http.download(call, (body) => copy(body, handle, file));
      await toDisk(file, () => handle.sync());
    } finally {
      await handle.close();
    }
    await toDisk(file, () => rename(unfinished, file));
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function copy(body: Readable, handle: FileHandle, file: string): Promise<void> {
  // A try before this one may have left something.
  await toDisk(file, () => handle.truncate(0));
  let length = 0;
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("a body that is no bytes");
    const position = length;
    length += chunk.length;
    if (length > LARGEST) throw new TooLong(LARGEST, "");
    await toDisk(file, () => writeAll(handle, chunk, position));
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < chunk.length) {
    written += (await handle.write(chunk, written, chunk.length - written, position + written)).bytesWritten;
  }
}

/** A full disk must not look like a broken connection, after which the snapshot would be asked for again. */
async function toDisk<T>(file: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new UserError(
      `the snapshot cannot be written: ${file} (${codeOf(error)}); name a file in a folder that is there and has space`,
    );
  }
}
