import { afterMs, empty, isLater, text, type Answer, type Reply, type Request } from "./answer.js";

export type Product = "consul" | "nomad";

/** What is wrong with the answers to some requests. */
type FaultKind =
  | { readonly kind: "slow"; readonly ms: number }
  /** A status in place of the agent's own; 429 keeps the body, as autopilot does. */
  | { readonly kind: "status"; readonly status: number; readonly body?: string }
  /** The connection is reset without an answer. */
  | { readonly kind: "reset" }
  /** The connection is reset half-way through the body. */
  | { readonly kind: "half" }
  /** Lists are empty, as they are for a token without rights. */
  | { readonly kind: "empty-lists" }
  | { readonly kind: "redirect"; readonly to: string }
  | { readonly kind: "oversized"; readonly bytes: number };

export type Fault = FaultKind & {
  /** Default: any machine */
  readonly machine?: string;
  /** Default: both */
  readonly product?: Product;
  /** Default: any method */
  readonly method?: string;
  /** How the path begins, such as `/v1/operator`. Default: any path */
  readonly path?: string;
  /** After so many requests the fault is over. Default: it lasts until it is taken away */
  readonly times?: number;
};

interface Asked {
  readonly machine: string;
  readonly product: Product;
  readonly request: Request;
}

/** Faults of single answers. Those of the cluster itself are switched on where they happen. */
export class Faults {
  #active: { readonly fault: Fault; left: number }[] = [];

  /** Switches a fault on; the function that comes back switches it off. */
  add(fault: Fault): () => void {
    const entry = { fault, left: fault.times ?? Number.POSITIVE_INFINITY };
    this.#active.push(entry);
    return () => {
      this.#active = this.#active.filter((each) => each !== entry);
    };
  }

  clear(): void {
    this.#active = [];
  }

  /** The reply as it arrives. A request that never arrives (a reset, a status) does nothing at the agent. */
  apply(asked: Asked, reply: () => Reply): Reply {
    const entry = this.#active.find(({ fault, left }) => left > 0 && fits(fault, asked));
    if (!entry) return reply();
    entry.left--;
    const { fault } = entry;
    switch (fault.kind) {
      case "slow":
        return afterMs(fault.ms, reply);
      case "status":
        if (fault.status === 429 && fault.body === undefined)
          return after(reply(), ({ body }) => ({ ...text(429, ""), body }));
        return text(fault.status, fault.body ?? BODIES.get(fault.status) ?? "");
      case "reset":
        return { ...empty(), cut: "reset" };
      case "half":
        return after(reply(), (answer) => ({ ...answer, cut: "half" }));
      case "empty-lists":
        return after(reply(), withoutItems);
      case "redirect":
        return empty(307, { Location: fault.to });
      case "oversized":
        return after(reply(), (answer) => ({ ...answer, body: JSON.stringify("x".repeat(fault.bytes)) }));
    }
  }
}

const BODIES = new Map([
  [403, "Permission denied"],
  [500, "No cluster leader"],
]);

const fits = (fault: Fault, { machine, product, request }: Asked): boolean =>
  (fault.machine ?? machine) === machine &&
  (fault.product ?? product) === product &&
  (fault.method ?? request.method) === request.method &&
  request.path.startsWith(fault.path ?? "");

function withoutItems(answer: Answer): Answer {
  return typeof answer.body === "string" && answer.body.startsWith("[") ? { ...answer, body: "[]" } : answer;
}

/** Changes an answer whenever it comes. */
export function after(reply: Reply, change: (answer: Answer) => Answer): Reply {
  if (!isLater(reply)) return change(reply);
  return {
    atMost: reply.atMost,
    ready: () => {
      const next = reply.ready();
      return next && after(next, change);
    },
    otherwise: () => after(reply.otherwise(), change),
  };
}
