import type { Agent, Dispatcher } from "undici";

/**
 * Sends one request. undici's own `request` brings all of undici with it, fetch and WebSocket included, which takes a hook
 * longer to load than what it is there for; so the bundle has nothing of undici but its agent.
 */
export function requestBy(
  agent: Agent,
  url: string,
  options: Omit<Dispatcher.RequestOptions, "origin" | "path">,
): Promise<Dispatcher.ResponseData> {
  const { origin, pathname, search } = new URL(url);
  return agent.request({ ...options, origin, path: `${pathname}${search}` });
}
