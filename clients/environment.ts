/** Environment variables. Where one is given to a function, it is merged over the process's own. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** With these a program could take the cluster apart, and one that fails likes to print its environment. */
const TOKENS = [
  "CONSUL_HTTP_TOKEN",
  "CONSUL_HTTP_TOKEN_FILE",
  "CONSUL_HTTP_AUTH",
  "NOMAD_TOKEN",
  "NOMAD_HTTP_AUTH",
] as const;

/** An environment for a program that has nothing to ask the agents: also where it is merged over another, that has no tokens. */
export const withoutTokens = (env: Environment): Environment => ({
  ...env,
  ...Object.fromEntries(TOKENS.map((name) => [name, undefined])),
});
