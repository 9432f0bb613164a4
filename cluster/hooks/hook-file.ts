import * as z from "zod";
import { imagesOf } from "../gate-settings.js";
import type { ClusterState } from "../cluster-state.js";
import type { Group } from "../groups.js";
import type { DeployedGroup } from "../deployed.js";
import { HOOK_FILE } from "./variables.js";
import { deployedHosts, isNew } from "../pending.js";
import { specSchema, type Spec } from "../yaml/schema.js";
import { UserError } from "../user-error.js";

const hookFileSchema = z.strictObject({
  spec: specSchema,
  /** Of the spec, where it has any. */
  userData: z.record(z.string(), z.string()).exactOptional(),
  /** Of the spec, where it has any. */
  recordedSizes: z.record(z.string(), z.int()).exactOptional(),
  /** The folder of the spec, from the one of this file: where the run folder lies. */
  specFolder: z.string().min(1),
  /** The commit of the spec, or `uncommitted`; absent where nobody has asked. */
  commit: z.string().optional(),
  /** The hooks of the build that made the stack, by their digest; absent in stacks of earlier versions. */
  bundle: z.string().exactOptional(),
  /** The deployed groups, with the names of their hosts and the images that their revisions name. */
  deployed: z.array(
    z.strictObject({
      name: z.string(),
      hosts: z.array(z.string()),
      /** How many it was last ready with, where some of them are missing. */
      stood: z.int().optional(),
      images: z.array(z.string()),
      /** Its last one; absent in files of earlier versions. */
      revision: z.object({ number: z.int(), image: z.string() }).exactOptional(),
    }),
  ),
  /** Those of the hosts of the group that the stack rolls, where they are not counted from 0. */
  numbers: z.object({ group: z.string(), hosts: z.array(z.int().min(0)) }).optional(),
});

export type HookFile = Omit<z.output<typeof hookFileSchema>, "spec"> & { readonly spec: Spec };

interface Source extends ClusterState, Pick<HookFile, "specFolder" | "commit" | "bundle"> {
  /** The group that the stack rolls, with the numbers of its hosts. */
  readonly rolled?: Pick<Group, "name" | "numbers"> | undefined;
}

/** What the hooks of a stack know of what it is made from. */
export function hookFileOf(source: Source): HookFile {
  const { spec, specFolder, commit, bundle, rolled } = source;
  const { groups } = source.deployed;
  const known = [...groups.values()].filter((group) => !isNew(group));
  const deployed = known.map((group) => ({
    name: group.name,
    hosts: group.hosts.map((host) => host.name),
    ...(deployedHosts(group) > group.hosts.length ? { stood: deployedHosts(group) } : {}),
    images: imagesOf(group.revisions),
    ...revisionOf(group),
  }));
  return {
    ...{ spec, specFolder, ...(commit === undefined ? {} : { commit }), deployed },
    ...(bundle === undefined ? {} : { bundle }),
    ...(rolled?.numbers ? { numbers: { group: rolled.name, hosts: [...rolled.numbers] } } : {}),
  };
}

const revisionOf = ({ revisions }: DeployedGroup): Pick<HookFile["deployed"][number], "revision"> => {
  const last = revisions.at(-1);
  return last ? { revision: { number: last.number, image: last.image } } : {};
};

export function formatHookFile(source: Source): string {
  const { spec, ...rest } = hookFileOf(source);
  const { userData, recordedSizes, ...own } = spec;
  return `${JSON.stringify({ spec: own, userData, recordedSizes, ...rest }, null, 2)}\n`;
}

/** @throws UserError when it is damaged */
export function parseHookFile(text: string): HookFile {
  try {
    const { userData, recordedSizes, ...file } = hookFileSchema.parse(JSON.parse(text));
    const beside = { ...(userData ? { userData } : {}), ...(recordedSizes ? { recordedSizes } : {}) };
    return { ...file, spec: { ...file.spec, ...beside } };
  } catch {
    throw new UserError(`${HOOK_FILE} is damaged, or of another version of this program; synthesize again`);
  }
}
