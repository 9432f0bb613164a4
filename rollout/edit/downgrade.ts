import type { ClusterState } from "../../cluster/cluster-state.js";
import { findGroup } from "../../cluster/find-group.js";

/**
 * Why taking a group of servers back is a downgrade; undefined where it is none. The newer version is in use where its image was
 * recorded: of another group, whose server votes, or of this one.
 * @param to the image that the group is to get
 * @param versions what servers say they run, by host; an image of which nobody says it counts as a version of its own
 */
export function downgradeOf(
  { spec, deployed }: ClusterState,
  name: string,
  to: string,
  versions: ReadonlyMap<string, string>,
): string | undefined {
  const { role, image } = findGroup(spec, name);
  const groups = [...deployed.groups.values()].filter((each) => each.role === role);
  const users = groups.filter((each) =>
    (each.name === name ? each.revisions : each.revisions.slice(-1)).some((own) => own.image === image),
  );
  if (role === "client" || image === to || users.length === 0) return undefined;
  const hosts = groups.flatMap((group) => group.hosts);
  const [now, then] = [image, to].map(
    (each) => hosts.filter((host) => host.image === each).flatMap((host) => versions.get(host.name) ?? [])[0],
  );
  if (now !== undefined && then !== undefined && now.localeCompare(then, "en", { numeric: true }) <= 0)
    return undefined;
  const [newer, older] = [`${image} (${now ?? "version unknown"})`, `${to} (${then ?? "version unknown"})`];
  const recorded = users.map((each) => each.name).join(", ");
  return `${name} would go back from ${newer} to ${older}, which may be a downgrade: ${recorded} has run the newer one, and an older server need not read what a newer one wrote`;
}
