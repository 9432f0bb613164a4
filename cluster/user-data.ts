/** What a machine is told of itself. */
type Identity = Readonly<Record<"name" | "pool" | "group" | "image" | "hash", string>>;

/**
 * The user data of a machine: what it is, never where others are (addresses arrive by `config_consul`) and no secret.
 * The hash stands in a comment line, so that every change of the template replaces the machine.
 * @param servers how many servers of its role form a new cluster: of a server where there are not three
 */
export function userData(cluster: string, host: Identity, servers?: string): string {
  return `#cloud-config
# rollout-template-hash: ${host.hash}
write_files:
  - path: /etc/rollout/machine.env
    permissions: "0644"
    content: |
      ROLLOUT_CLUSTER=${cluster}
      ROLLOUT_POOL=${host.pool}
      ROLLOUT_GROUP=${host.group}
      ROLLOUT_HOST=${host.name}
      ROLLOUT_IMAGE=${host.image}
      ROLLOUT_TEMPLATE_HASH=${host.hash}
${servers === undefined ? "" : `      ROLLOUT_SERVERS=${servers}\n`}`;
}

/** What a machine that stands was told of it: it has formed its cluster, and must not be replaced for another number. */
export const toldServers = (text: string): string | undefined => /^ *ROLLOUT_SERVERS=(\d+)$/m.exec(text)?.[1];
