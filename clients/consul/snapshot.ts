import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Transform, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { HttpClient } from "../http/http-client.js";
import { TooLong } from "../http/read-text.js";
import { MANAGEMENT } from "./permissions.js";

const TIMEOUT = 600;
const LARGEST = 8 * 1024 ** 3;

/** Streams a snapshot into a file beside the one that is wanted, and renames it once it is whole. */
export async function saveSnapshot(http: HttpClient, file: string, signal?: AbortSignal): Promise<void> {
  const unfinished = `${file}.${String(process.pid)}.unfinished`;
  try {
    await http.download(
      {
        path: "/v1/snapshot",
        timeout: TIMEOUT,
        permission: MANAGEMENT,
        ...(signal === undefined ? {} : { signal }),
      },
      (body) => writeTo(unfinished, body),
    );
    await rename(unfinished, file);
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function writeTo(file: string, body: Readable): Promise<void> {
  let length = 0;
  const counted = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      length += chunk.length;
      if (length > LARGEST) done(new TooLong(LARGEST, ""));
      else done(null, chunk);
    },
  });
  await pipeline(body, counted, createWriteStream(file, { mode: 0o600, flush: true }));
}
