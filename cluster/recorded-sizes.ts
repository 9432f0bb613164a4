import type { Deployed } from "./deployed.js";
import { groupsOf } from "./groups.js";
import type { Spec } from "./yaml/schema.js";

/**
 * A spec as it is held against what is deployed: a data volume grows in place, so what a group's machines are made from goes by
 * the size that its last revision recorded, whatever the spec says by now. Not where that recorded none, as earlier versions
 * did, nor where machines stand that such a version made from the size of the spec.
 */
export function withRecordedSizes(spec: Spec, { groups, origin }: Deployed): Spec {
  const written = asWritten(spec);
  const recordedSizes = Object.fromEntries(
    groupsOf(written).flatMap(({ name, dataVolume, hash }) => {
      const current = groups.get(name);
      const recorded =
        current?.revisions.at(-1)?.template?.dataVolume?.sizeGib ??
        (origin.kind === "spec" ? current?.volumes[0]?.sizeGib : undefined);
      const isOther = dataVolume && recorded !== undefined && recorded !== dataVolume.sizeGib;
      return isOther && !current?.hosts.some((host) => host.hash === hash) ? [[name, recorded]] : [];
    }),
  );
  return Object.keys(recordedSizes).length > 0 ? { ...written, recordedSizes } : written;
}

/** A spec without what {@link withRecordedSizes} has added. */
export function asWritten(spec: Spec): Spec {
  const { recordedSizes, ...written } = spec;
  return recordedSizes ? written : spec;
}
