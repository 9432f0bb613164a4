import type { Readable } from "node:stream";

/** A body that went on past the limit. It was not read to its end. */
export class TooLong extends Error {
  constructor(
    readonly limit: number,
    readonly start: string,
  ) {
    super(`longer than ${String(limit)} bytes`);
  }
}

/** Reads a body as UTF-8; gives up as soon as it is longer than the limit, in bytes. */
export function readText(limit: number): (body: Readable) => Promise<string> {
  return async (body) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    // Leaving the loop by an exception destroys the stream, so what has not come yet is not waited for.
    for await (const chunk of body) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("a body that is no bytes");
      length += chunk.length;
      chunks.push(chunk);
      if (length > limit) throw new TooLong(limit, decode(chunks).slice(0, 1000));
    }
    return decode(chunks);
  };
}

function decode(chunks: readonly Uint8Array[]): string {
  return new TextDecoder().decode(Buffer.concat(chunks));
}
