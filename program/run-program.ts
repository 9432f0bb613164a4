import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { deserialize, serialize } from "node:v8";
import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { type Environment, withoutTokens } from "../clients/environment.js";
import { putFile } from "../clients/put-file.js";
import { UserError } from "../cluster/user-error.js";
import { loadSpec } from "../cluster/yaml/load.js";
import { type Program, synthesize } from "./program.js";
import { DESIRED, readBytes, type SpecFile } from "./read-spec.js";

/** What the command line asks of a program: to say what it desires, and to write views of it. */
export interface Asked {
  /** Where what is desired is to be written. */
  readonly answer: string;
  /** What the views are to be made from; absent where none is wanted. */
  readonly views?: Omit<Program, "spec">;
}

/** Names the file of what is {@link Asked}. */
const ASKED = "ROLLOUT_ASKED";

/** What the command line that has started this process asks for; undefined where something else has started it. */
export function askedOf(env: Environment): Asked | undefined {
  const file = env[ASKED] ?? "";
  return file === "" ? undefined : (deserialize(readFileSync(file)) as Asked);
}

/** Whether a spec is what a program has written of itself. */
export const isOfProgram = ({ file }: Pick<SpecFile, "file">): boolean => basename(file) === DESIRED;

/**
 * Runs the program of a folder, the `app` of its `cdktf.json`, as cdktf does.
 * @param views what views are to be made from, and the folder for them. Default: none is wanted
 * @returns what it desires
 * @throws UserError with what it has printed where it fails, and where it ends without an answer
 */
async function runProgram(
  { file }: Pick<SpecFile, "file">,
  env: Environment,
  views?: { readonly program: Program; readonly outdir: string },
): Promise<string> {
  const folder = dirname(file);
  const app = appOf(folder);
  const scratch = mkdtempSync(join(tmpdir(), "rollout-asked-"));
  const [asked, answer] = [join(scratch, "asked"), join(scratch, "answer")];
  try {
    const given = views && { views: { ...views.program, spec: undefined } };
    writeFileSync(asked, serialize({ answer, ...given }), { mode: 0o600 });
    const { execa } = await import("execa");
    const { exitCode, stderr, stdout, code } = await execa(app, {
      shell: true,
      cwd: folder,
      env: withoutTokens({
        ...env,
        [ASKED]: asked,
        ...(views ? { CDKTF_OUTDIR: resolve(views.outdir) } : {}),
      }),
      stdin: "ignore",
      reject: false,
    });
    if (exitCode !== 0)
      throw new UserError(
        `the program failed (${app}): ${exitCode === undefined ? (code ?? "it was ended") : `exit code ${String(exitCode)}`}\n${[stdout, stderr].filter((text) => text !== "").join("\n")}`,
        exitCode === 2 ? 2 : 1,
      );
    if (existsSync(answer)) return readFileSync(answer, "utf8");
    throw new UserError(
      `the program ended well and declared nothing (${app}); its last line is to be: await app.synth(), of a RolloutApp`,
      2,
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Writes the views of a cluster into a folder, by its own program where it has one.
 * @throws UserError with what the guard says of them; where the program declares something else by now
 */
export async function writeViews(program: Program, env: Environment, outdir: string): Promise<void> {
  if (!isOfProgram(program)) {
    synthesize(program, outdir);
    return;
  }
  const desired = await runProgram(program, env, { program, outdir });
  if (isDeepStrictEqual(loadSpec(desired, program.shown), program.spec)) return;
  throw new UserError(
    `the program declares something else than ${program.shown} said when this began; run the same command again`,
  );
}

/** Brings `desired.json` up to date before anything is done by it. A spec that no program wrote stays as it is. */
export async function refreshDesired(
  source: SpecFile,
  env: Environment,
  say: (line: string) => void,
): Promise<void> {
  if (!isOfProgram(source)) return;
  const desired = await runProgram(source, env);
  if (desired === readFileSync(source.file, "utf8")) return;
  putFile(source.file, desired, 0o644);
  say(`${source.shown} is written anew: the program declares something else than it said; commit it`);
}

/** @throws UserError where a program declares something else than `desired.json` says */
export async function refuseStale(source: SpecFile, env: Environment): Promise<void> {
  if (!isOfProgram(source) || (await runProgram(source, env)) === readFileSync(source.file, "utf8")) return;
  throw new UserError(
    `${source.shown} is stale: the program declares something else; write it anew and commit it: npx cdktf synth`,
    2,
  );
}

const cdktfSchema = z.object({ app: z.string().min(1) });

function appOf(folder: string): string {
  const file = join(folder, "cdktf.json");
  const remedy = `${DESIRED} is written by a program, and cdktf.json beside it names that: { "app": "npx tsx main.ts" }`;
  const text = new TextDecoder().decode(readBytes(file, "cdktf.json", remedy));
  try {
    return cdktfSchema.parse(JSON.parse(text)).app;
  } catch {
    throw new UserError(`cdktf.json has no app; ${remedy}`, 2);
  }
}
