import type { Machine } from "./machine.js";

/**
 * Asks an agent of a machine, which listens on its loopback address alone.
 * @param url `:8500/v1/status/leader`; with `https:`, Nomad's, whom the machine's own certificate is shown
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
  const secrets = "/run/rollout/nomad";
  const tls = [
    "--cacert",
    `${secrets}/ca.pem`,
    "--cert",
    `${secrets}/cert.pem`,
    "--key",
    `${secrets}/key.pem`,
  ];
  const isPlain = url.startsWith(":");
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
      ...(isPlain ? [`http://127.0.0.1${url}`] : [...tls, url]),
    ],
    { stdin: "pipe", input: typeof body === "string" ? body : JSON.stringify(body ?? "") },
  );
  return answer === "" ? undefined : (JSON.parse(answer) as unknown);
}
