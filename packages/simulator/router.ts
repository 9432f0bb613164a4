import type { Reply, Request } from "./answer.js";

/** What a route is given: the agent that was asked, the request, and the parts of the path that `:name` stands for. */
export interface Call<Agent> {
  readonly agent: Agent;
  readonly request: Request;
  readonly part: (name: string) => string;
}

export interface Route<Agent> {
  readonly methods: readonly string[];
  /** `/v1/node/:id/drain`; a last part `*name` takes the rest, slashes included. */
  readonly path: string;
  readonly handle: (call: Call<Agent>) => Reply;
  /** The answer to another method; without it the product's own. */
  readonly otherMethod?: (request: Request) => Reply;
}

interface Unrouted {
  readonly unknownPath: () => Reply;
  readonly wrongMethod: (request: Request) => Reply;
}

/** Finds the route of a request, by its path first and its method then, as the agents do. */
export function route<Agent>(
  routes: readonly Route<Agent>[],
  agent: Agent,
  request: Request,
  unrouted: Unrouted,
): Reply {
  const here = routes.flatMap((each) => {
    const parts = match(each.path, request.path);
    return parts ? [{ each, parts }] : [];
  });
  const found = here.find(({ each }) => each.methods.includes(request.method));
  if (found) return found.each.handle({ agent, request, part: (name) => found.parts.get(name) ?? "" });
  const other = here[0]?.each.otherMethod;
  if (other) return other(request);
  return here.length === 0 ? unrouted.unknownPath() : unrouted.wrongMethod(request);
}

function match(pattern: string, path: string): Map<string, string> | undefined {
  const names = pattern.split("/");
  const values = path.split("/");
  const parts = new Map<string, string>();
  for (const [index, name] of names.entries()) {
    if (name.startsWith("*")) {
      if (index >= values.length) return undefined;
      parts.set(name.slice(1), decode(values.slice(index).join("/")));
      return parts;
    }
    const value = values[index];
    if (value === undefined) return undefined;
    if (name.startsWith(":")) parts.set(name.slice(1), decode(value));
    else if (name !== value) return undefined;
  }
  return names.length === values.length ? parts : undefined;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
