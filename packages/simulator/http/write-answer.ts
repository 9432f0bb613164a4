import type { ServerResponse } from "node:http";
import type { Answer } from "../answer.js";

/** Sends an answer, or what is left of it when it is cut. */
export function writeAnswer(response: ServerResponse, { status, headers, body, cut }: Answer): void {
  const bytes = typeof body === "string" ? Buffer.from(body, "utf8") : Buffer.from(body);
  if (cut === "reset") {
    response.destroy();
    return;
  }
  const length = status === 204 ? {} : { "Content-Length": String(bytes.length) };
  response.writeHead(status, { ...headers, ...length });
  if (cut === "half") {
    // The head promises the whole body; half of it arrives before the connection ends.
    response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => {
      response.destroy();
    });
    return;
  }
  response.end(bytes);
}
