import type { RehearsalStep } from "./report.js";
import type { Group } from "../cluster/groups.js";
import { UserError } from "../cluster/user-error.js";
import { synthesize, type Program } from "../program/program.js";
import { difference } from "./differences.js";
import type { Rehearsing } from "./rehearsing.js";
import { nextImage } from "./roll.js";

/** Gives two groups another image at once, which must be refused before anything is planned. */
export async function beRefused(rehearsing: Rehearsing, groups: readonly Group[]): Promise<RehearsalStep> {
  const begun = performance.now();
  const names = groups.map(({ name }) => name);
  rehearsing.setImages(new Map(groups.map(({ name, image }) => [name, nextImage(image)])));
  const program = await rehearsing.program();
  const refusal = refusalOfSynth(program, rehearsing.outdir);
  const { deployed } = await rehearsing.program();
  const named = ["one-group: ", ...names].filter((word) => refusal?.includes(word));
  return {
    step: "refuse",
    group: null,
    change: names.join(" and "),
    machines: [],
    seconds: (performance.now() - begun) / 1000,
    phases: [],
    refusal: refusal ?? null,
    problems: [
      ...difference("named in the refusal", named, ["one-group: ", ...names]),
      ...difference("the state", deployed.origin, program.deployed.origin),
    ],
  };
}

function refusalOfSynth(program: Program, outdir: string): string | undefined {
  try {
    synthesize({ ...program, ownResources: false }, outdir);
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
