/** A request to one agent's HTTP API. */
export interface Request {
  readonly method: string;
  /** Without the product's prefix and the query: `/v1/agent/self`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** Not a whole answer: the connection is reset before it, or half-way through its body. */
  readonly cut?: "reset" | "half";
}

/** An answer that waits: given when `ready` has one, or else by `otherwise` after `atMost` simulated milliseconds. */
export interface Later {
  readonly ready: () => Reply | undefined;
  readonly atMost: number;
  readonly otherwise: () => Reply;
}

export type Reply = Answer | Later;

/** A gzip archive that holds the word "snapshot": enough for one who stores it, and nothing to restore. */
export const SNAPSHOT = Buffer.from("H4sIAAAAAAAC/yvOSywozsgvAQA1FU0sCAAAAA==", "base64");

export const isLater = (reply: Reply): reply is Later => "ready" in reply;

export type Headers = Readonly<Record<string, string>>;

export const json = (value: unknown, headers: Headers = {}, status = 200): Answer => ({
  status,
  headers: { "Content-Type": "application/json", ...headers },
  body: JSON.stringify(value),
});

export const text = (status: number, body: string, headers: Headers = {}): Answer => ({
  status,
  headers: { "Content-Type": "text/plain; charset=utf-8", ...headers },
  body,
});

export const empty = (status = 200, headers: Headers = {}): Answer => ({ status, headers, body: "" });

/** A wait that nothing shortens. */
export const afterMs = (ms: number, reply: () => Reply): Later => ({
  ready: () => undefined,
  atMost: ms,
  otherwise: reply,
});
