import type { Environment } from "../clients/environment.js";
import { codeOf } from "../clients/error-code.js";
import { readFileSync } from "node:fs";
import { parseAssignments } from "../cluster/yaml/edit.js";
import { imageFromPackerManifest } from "../cluster/yaml/packer.js";
import { UserError } from "../cluster/user-error.js";
import { editSpec, elementOf, refuseUneditable } from "../program/edit-spec.js";
import { warnOfMachines } from "../program/new-machine.js";
import { readSpec, type SpecFile } from "../program/read-spec.js";

export interface SetImageArgs {
  /** `broker-0=ami-0bbb`; with `packer` only the group, `broker-0`. */
  readonly assignments: readonly string[];
  /** A file of Packer's manifest post-processor. */
  readonly packer?: string;
}

/** Changes images in the spec and nothing else: comments and layout stay byte for byte. Says what became of each group. */
export async function runSetImage(env: Environment, { assignments, packer }: SetImageArgs): Promise<string> {
  const source = readSpec(env);
  const elements = assignments.map((each) => elementOf("images", each.split("=")[0]));
  refuseUneditable(source, elements.join(" and "));
  const { spec, shown } = source;
  const changes =
    packer === undefined ? parseAssignments(assignments) : fromPacker(assignments, packer, spec);
  const edits = new Map([...changes].map(([group, image]) => [group, { image }]));
  const isChanged = editSpec(source, edits);
  for (const line of await warnOfMachines(spec, edits)) console.error(line);
  return [...changes]
    .map(([group, image]) =>
      isChanged ? `${group} image set to ${image} in ${shown}` : `${group} has ${image} already`,
    )
    .join("\n");
}

function fromPacker(groups: readonly string[], packer: string, spec: SpecFile["spec"]): Map<string, string> {
  if (spec.platform !== "aws")
    throw new UserError("--packer takes the image of a region; the platform is local", 2);
  const wrong = groups.filter((group) => group.includes("="));
  if (wrong.length > 0)
    throw new UserError(
      `with --packer name groups only: ${wrong.join(", ")}; the image comes from ${packer}`,
      2,
    );
  const image = imageFromPackerManifest(manifestIn(packer), packer, spec.aws.region);
  return new Map(groups.map((group) => [group, image]));
}

function manifestIn(packer: string): Uint8Array {
  try {
    return readFileSync(packer);
  } catch (error) {
    throw new UserError(
      `cannot read ${packer}: ${codeOf(error)}; name the file that Packer's manifest post-processor wrote`,
      2,
    );
  }
}
