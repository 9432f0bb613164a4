import * as z from "zod";

/** What a Nomad server says of a node: NodeRegistration, NodeEligibility, NodeDrain, NodeDeregistration, NodeEvent. */
export interface NodeEvent {
  readonly what: string;
  /** Its id. */
  readonly node: string;
}

/** Nomad's own stream of what happens to its nodes, in its order. */
export class NodeEvents {
  readonly #seen: NodeEvent[] = [];
  readonly #reading: Promise<void>;

  private constructor(
    response: Response,
    private readonly stop: AbortController,
  ) {
    this.#reading = this.#read(response).catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
  }

  /** @param nomad the base URL of a server that is not rolled meanwhile */
  static async of(nomad: string): Promise<NodeEvents> {
    const stop = new AbortController();
    const { signal } = stop;
    return new NodeEvents(await fetch(`${nomad}/v1/event/stream?topic=Node`, { signal }), stop);
  }

  async end(): Promise<readonly NodeEvent[]> {
    this.stop.abort();
    await this.#reading;
    return this.#seen;
  }

  async #read(response: Response): Promise<void> {
    let rest = "";
    for await (const chunk of response.body ?? []) {
      const lines = (rest + Buffer.from(chunk).toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        for (const { Type, Key } of batch.parse(JSON.parse(line)).Events ?? [])
          this.#seen.push({ what: Type, node: Key });
      }
    }
  }
}

const batch = z.object({ Events: z.array(z.object({ Type: z.string(), Key: z.string() })).optional() });
