/**
 * What Terraform's local-exec calls the hooks with: names that the schema has checked, never free text and never a
 * secret. The constructs render it and the guard compares it.
 */
export const hookWords = {
  /**
   * @param stay the hosts that stay if they were made from `hash`; all others leave, all of a group that retires
   * @param laterHosts those of them that leave with a later batch, and get no new work until then
   */
  leave: (group: string, hash: string, stay: readonly string[], laterHosts: readonly string[] = []): string =>
    [`leave ${group} --hash ${hash}`, ...option("stay", stay), ...option("waiting", laterHosts)].join(" "),
  ready: (group: string, hash: string): string => `ready ${group} --hash ${hash}`,
  configureConsul: (host: string): string => `configure-consul ${host}`,
  /** @param hash the template that the machine is made from */
  startAgents: (host: string, hash: string): string => `start-agents ${host} --hash ${hash}`,
  stopAgents: (host: string): string => `stop-agents ${host}`,
} as const;

const option = (name: string, hosts: readonly string[]): string[] =>
  hosts.length > 0 ? [`--${name} ${hosts.join(",")}`] : [];

/** The addresses that `configure-consul` is given: Terraform's own references, so that they are those of the new machines. */
export const addressesFor = (host: string, servers: readonly string[]): Record<string, string> => ({
  ROLLOUT_HOST_ADDRESS: host,
  ROLLOUT_CONSUL_SERVERS: servers.join(","),
});

/** The reference to a machine's network address on each platform; undefined where machines have none. */
export const networkAddressOn = {
  aws: (host: string): string => `\${${host}.private_ip}`,
  local: undefined,
} as const;
