import type { Host } from "./site.js";

/**
 * Asks an agent of a machine, which listens on its loopback address alone.
 * @param url `:8500/v1/status/leader`
 * @returns the parsed JSON, or undefined where there is no body
 */
export async function ask(
  machine: Host,
  method: string,
  url: string,
  token: string,
  body?: unknown,
): Promise<unknown> {
  const headers = token === "" ? [] : [`X-Consul-Token: ${token}`, `X-Nomad-Token: ${token}`];
  const options: (readonly [option: string, value: string])[] = [
    ["url", `http://127.0.0.1${url}`],
    ["request", method],
    ...headers.map((header) => ["header", header] as const),
  ];
  if (body !== undefined)
    options.push(["data-binary", typeof body === "string" ? body : JSON.stringify(body)]);
  // All of it on standard input: whoever lists a machine's processes sees their arguments.
  const answer = await machine.run(
    ["curl", "--fail-with-body", "--silent", "--show-error", "--max-time", "10", "--config", "-"],
    { input: options.map(([option, value]) => `${option} = ${JSON.stringify(value)}\n`).join("") },
  );
  return answer === "" ? undefined : (JSON.parse(answer) as unknown);
}
