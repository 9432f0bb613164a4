import { lastOf } from "./last-of.js";
import { serversOf, type Group } from "./groups.js";
import type { Spec } from "./yaml/schema.js";

/** What a machine is told of itself. */
type Identity = Readonly<Record<"name" | "pool" | "group" | "image" | "hash", string>>;

/**
 * The user data of a machine: what it is, never where others are (addresses arrive by `config_consul`) and no secret.
 * The hash stands in a comment line, so that every change of the template replaces the machine.
 * @param servers how many servers of its role form a new cluster: of a server where there are not three
 * @param own a part of the user's own, which cloud-init runs, too
 */
export function userData(cluster: string, host: Identity, servers?: string, own?: string): string {
  const ours = `#cloud-config
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
  return own === undefined ? ours : inParts(own, ours, `rollout-${host.hash}`);
}

/**
 * Ours comes last and is merged list by list: by itself cloud-init would let the later `write_files` replace the earlier. What
 * kind of part the user's is, it tells by its first line.
 */
const inParts = (own: string, ours: string, boundary: string): string => `MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="${boundary}"

--${boundary}
Content-Type: text/plain; charset="us-ascii"

${own}
--${boundary}
Content-Type: text/cloud-config; charset="us-ascii"
Merge-Type: list(append)+dict(no_replace,recurse_list)+str()

${ours}
--${boundary}--
`;

/** What a machine of a group that is made anew is told. */
export function groupUserData(spec: Spec, group: Group, name: string): string {
  const servers = serversOf(spec, group.role);
  return userData(
    spec.name,
    { ...group, name, group: group.name },
    group.role === "client" || servers === 3 ? undefined : String(servers),
    group.userData && spec.userData?.[group.userData.file],
  );
}

/** What a machine that stands was told of it: it has formed its cluster, and must not be replaced for another number. */
export const toldServers = (text: string): string | undefined => lastOf(text, /^ *ROLLOUT_SERVERS=(\d+)$/gm);
