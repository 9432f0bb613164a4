import { memberType, type PlatformName } from "../../cluster/address.js";
import { attributesInState, clusterOf } from "../../cluster/members.js";
import { UserError } from "../../cluster/user-error.js";
import type { StateObject } from "./state-object.js";

/** What a state is expected to be. */
export interface Expected {
  /** The state's name in messages: `terraform.demo.tfstate`, `s3://bucket/key`. */
  readonly where: string;
  /** The cluster that the spec names. */
  readonly cluster: string;
  /** The platform that the spec names; not compared when absent. */
  readonly platform?: PlatformName;
}

/**
 * Sees to it that a state which holds anything is the expected cluster's: with a mistyped backend, a plan would otherwise
 * take another team's resources for its own and delete them.
 * @throws UserError when it is another cluster's, no cluster's at all, or was made on another platform
 */
export function checkCluster(objects: readonly StateObject[], { where, cluster, platform }: Expected): void {
  const clusters = new Set(objects.flatMap((object) => namedBy(object) ?? []));
  const others = [...clusters].filter((name) => name !== cluster).sort();
  if (others.length > 0) {
    const quoted = others.map((name) => `"${name}"`).join(", ");
    throw new UserError(
      `the state belongs to another cluster: ${where} holds ${quoted}, the spec is "${cluster}"; give each cluster a backend of its own, or put the name back`,
    );
  }
  if (clusters.size === 0 && objects.every(({ member }) => !member)) {
    throw new UserError(
      `the state belongs to something else: ${where} holds ${someOf(objects)}, nothing of cluster "${cluster}"; correct the spec's backend`,
    );
  }
  const strange = objects.filter(
    ({ member, type }) => platform && member && type !== memberType(platform, member.kind),
  );
  if (strange.length > 0) {
    throw new UserError(
      `the state was made on another platform: ${where} holds ${someOf(strange)}, the spec's platform is ${String(platform)}; put the platform back, or give the new cluster a backend of its own`,
    );
  }
}

/** The input of a resource of the user's own is the user's, and may name anything. */
function namedBy({ type, name, member, attributes }: StateObject): string | undefined {
  const isOurs = member !== undefined || name.endsWith("-load-balancer");
  return clusterOf(isOurs ? attributesInState(type, attributes) : { tags: attributes["tags"] });
}

function someOf(objects: readonly StateObject[]): string {
  const addresses = [...new Set(objects.map(({ address }) => address))].sort();
  const shown = addresses.slice(0, 3).join(", ");
  return addresses.length > 3 ? `${shown} and ${String(addresses.length - 3)} more` : shown;
}
