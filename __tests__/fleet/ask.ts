import type { Machine } from "./machine.js";

/**
 * Asks an agent of a machine, which listens on its loopback address alone.
 * @param url `:8500/v1/status/leader`
 * @returns the parsed JSON, or undefined where there is no body
 */
export async function ask(
  machine: Machine,
  method: string,
  url: string,
  token: string,
  body?: unknown,
): Promise<unknown> {
  const headers =
    token === "" ? [] : ["--header", `X-Consul-Token: ${token}`, "--header", `X-Nomad-Token: ${token}`];
  const sent = body === undefined ? [] : ["--data-binary", "@-"];
  const answer = await machine.run(
    [
      "curl",
      "--fail-with-body",
      "--silent",
      "--show-error",
      "--max-time",
      "10",
      "--request",
      method,
      ...headers,
      ...sent,
      `http://127.0.0.1${url}`,
    ],
    { stdin: "pipe", input: typeof body === "string" ? body : JSON.stringify(body ?? "") },
  );
  return answer === "" ? undefined : (JSON.parse(answer) as unknown);
}
