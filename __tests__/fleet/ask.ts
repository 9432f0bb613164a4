import type { Host } from "./site.js";

/** A machine's own certificate, as the first deploy with TLS gives it one. */
const TLS = [
  ["cacert", "/run/rollout/nomad/ca.pem"],
  ["cert", "/run/rollout/nomad/cert.pem"],
  ["key", "/run/rollout/nomad/key.pem"],
] as const;

/**
 * Asks an agent of a machine, which listens on its loopback address alone.
 * @param url `:8500/v1/status/leader`; with `https:`, Nomad's, whom the machine's own certificate is shown
 * @returns the parsed JSON, or undefined where there is no body
 */
export async function ask(
  machine: Host,
  method: string,
  url: string,
  token: string,
  body?: unknown,
): Promise<unknown> {
  const isPlain = url.startsWith(":");
  const headers = token === "" ? [] : [`X-Consul-Token: ${token}`, `X-Nomad-Token: ${token}`];
  const options: (readonly [option: string, value: string])[] = [
    ["url", isPlain ? `http://127.0.0.1${url}` : url],
    ["request", method],
    ...headers.map((header) => ["header", header] as const),
    ...(isPlain ? [] : TLS),
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
