import * as z from "zod";
import { formatPath, formatValue } from "./problem.js";
import { UserError } from "../user-error.js";

const text = z.string({ error: "expected a text" });

/** What Packer's `manifest` post-processor writes, as far as it is read here. */
const manifestSchema = z.object(
  {
    builds: z.array(
      z.object(
        { name: text.default("unnamed"), artifact_id: text, packer_run_uuid: text },
        { error: "expected a map" },
      ),
      { error: "expected a list of builds" },
    ),
    last_run_uuid: text,
  },
  { error: "expected a map" },
);

/** Something that the last run has made, such as `eu-west-1:ami-0abc`: an image in a region. */
interface Artifact {
  readonly build: string;
  readonly id: string;
}

/**
 * The image that Packer's last run has made for a region.
 * @param file the name that errors carry
 * @throws UserError when the bytes are no manifest, or name none or several images for the region
 * @see https://developer.hashicorp.com/packer/docs/post-processors/manifest
 */
export function imageFromPackerManifest(bytes: Uint8Array, file: string, region: string): string {
  const made = artifactsOfLastRun(bytes, file);
  const here = made.filter(({ id }) => id.startsWith(`${region}:`));
  const [image, ...others] = new Set(here.map(({ id }) => id.slice(region.length + 1)));
  if (image === undefined) {
    throw new UserError(
      `${file}: the last run made no image for ${region}, only ${inWords(made)}; build one for ${region}, or copy it there`,
    );
  }
  if (others.length > 0) {
    throw new UserError(
      `${file}: the last run made several images for ${region}: ${inWords(here)}; write the one that you want, as GROUP=IMAGE`,
    );
  }
  return image;
}

function artifactsOfLastRun(bytes: Uint8Array, file: string): Artifact[] {
  const parsed = manifestSchema.safeParse(parseJson(bytes, file));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${formatPath(path) || "it"}: ${message}`,
    );
    throw new UserError(`${file}: not what Packer's manifest post-processor writes: ${problems.join("; ")}`);
  }
  const { builds, last_run_uuid: run } = parsed.data;
  const last = builds.filter((build) => build.packer_run_uuid === run);
  if (last.length === 0) {
    const what = builds.length === 0 ? "no builds in it" : `no build of its last run, ${formatValue(run)}`;
    throw new UserError(`${file}: ${what}; run packer build once more`);
  }
  return last.flatMap((build) =>
    build.artifact_id.split(",").map((id) => ({ build: build.name, id: id.trim() })),
  );
}

function parseJson(bytes: Uint8Array, file: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new UserError(`${file}: not JSON; expected what Packer's manifest post-processor writes`);
  }
}

const inWords = (artifacts: readonly Artifact[]): string =>
  artifacts.map(({ build, id }) => `${id} (build ${build})`).join(", ");
