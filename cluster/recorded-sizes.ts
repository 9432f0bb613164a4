import type { Deployed } from "./deployed.js";
import { groupsOf } from "./groups.js";
import { deployedHash, isConfigured } from "./pending.js";
import { templateHash } from "./template-hash.js";
import type { Spec } from "./yaml/schema.js";

/**
 * A spec as it is held against what is deployed: a data volume grows in place, so what a group's machines are made from goes by
 * the size that its last revision recorded, whatever the spec says by now. Not where that recorded none, as earlier versions
 * did, nor where machines stand that such a version made from the size of the spec, nor where it has let a group leave for that size
 * alone: that group is replaced whole.
 */
export function withRecordedSizes(spec: Spec, { groups, origin }: Deployed): Spec {
  const written = asWritten(spec);
  const recordedSizes = Object.fromEntries(
    groupsOf(written).flatMap((group) => {
      const { name, dataVolume, hash } = group;
      const current = groups.get(name);
      const recorded =
        current?.revisions.at(-1)?.template?.dataVolume?.sizeGib ??
        (origin.kind === "spec" ? current?.volumes[0]?.sizeGib : undefined);
      if (!current || !dataVolume || recorded === undefined || recorded === dataVolume.sizeGib) return [];
      const as = templateHash({ ...group, dataVolume: { ...dataVolume, sizeGib: recorded } });
      const isJoined = current.hosts.some((host) => isConfigured(host, current, spec.platform));
      const hasLeftForIt = !current.leave && !isJoined && as === deployedHash(current);
      return hasLeftForIt || current.hosts.some((host) => host.hash === hash) ? [] : [[name, recorded]];
    }),
  );
  return Object.keys(recordedSizes).length > 0 ? { ...written, recordedSizes } : written;
}

/** A spec without what {@link withRecordedSizes} has added. */
export function asWritten(spec: Spec): Spec {
  const { recordedSizes, ...written } = spec;
  return recordedSizes ? written : spec;
}
