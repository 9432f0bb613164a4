import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { deserialize, serialize } from "node:v8";
import * as z from "zod";
import { type Environment, withoutTokens } from "../clients/environment.js";
import { withoutSecrets } from "../clients/terraform/error.js";
import { putFile } from "../clients/put-file.js";
import { asWritten } from "../cluster/recorded-sizes.js";
import { UserError } from "../cluster/user-error.js";
import { loadSpec } from "../cluster/yaml/load.js";
import { withUserData } from "../cluster/yaml/user-data-files.js";
import type { Spec } from "../cluster/yaml/schema.js";
import { heedSignals } from "./heed-signals.js";
import { type Program, synthesize } from "./program.js";
import { appIn, DESIRED, filesIn, isPlain, type SpecFile, specPath } from "./read-spec.js";

/** What the command line asks of a program: to say what it desires, and to write views of it. */
export interface Asked {
  /** Where the {@link Answer} is to be written, in JSON. */
  readonly answer: string;
  /** What the views are to be made from, and of which cluster; absent where none is wanted. */
  readonly views?: Omit<Program, "spec"> & { readonly cluster: string };
}

const answerSchema = z.union([
  z.object({ desired: z.string() }),
  z.object({ refused: z.string(), exitCode: z.union([z.literal(1), z.literal(2)]) }),
]);

/** What a program desires, or why it refuses. */
export type Answer = z.output<typeof answerSchema>;

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
 * The folder whose `cdktf.json` names a program of the user's, which makes the views of a spec: beside it, else where the command
 * runs. Undefined where the spec is all that there is.
 */
export function programFolder({ file, isExample }: Pick<SpecFile, "file" | "isExample">): string | undefined {
  if (isOfProgram({ file })) return dirname(file);
  const folder = [dirname(file), process.cwd()].find((each) => appIn(each) !== undefined);
  return folder === undefined || isExample || isPlain(folder) ? undefined : folder;
}

/**
 * Writes the views of a cluster into a folder, by its own program where it has one.
 * @returns what the program declares by now where that is something else: then the views are of no use
 * @throws UserError with what the guard says of them
 */
export async function writeViews(
  program: Program,
  env: Environment,
  { outdir, stop }: { readonly outdir: string; readonly stop?: AbortSignal },
): Promise<Spec | undefined> {
  const folder = program.ownResources === false ? undefined : programFolder(program);
  if (folder === undefined) {
    synthesize(program, outdir);
    return undefined;
  }
  const { desired } = await runProgram(folder, env, { views: { program, outdir }, stop });
  const { shown, file } = program;
  const spec = withUserData(loadSpec(desired, shown), shown, filesIn(dirname(file)));
  if (isDeepStrictEqual(spec, asWritten(program.spec))) return undefined;
  if (isOfProgram(program)) keepDesired(program.file, desired);
  return spec;
}

/** Said where a program is not twice the same, or was edited under a run. */
export const unsteady = (what?: string): UserError =>
  new UserError(
    `the program declares something else than a moment ago, so nothing is planned; run the same command again${what === undefined ? "" : ` (${what})`}`,
  );

/** Brings `desired.json` up to date before anything is done by it. A spec that no program wrote stays as it is. */
export async function refreshDesired(env: Environment, say: (line: string) => void): Promise<void> {
  const file = specPath(env);
  if (!isOfProgram({ file })) return;
  if (keepDesired(file, await askDesired(file, env)))
    say(`${DESIRED} was updated from the program; commit it`);
}

/** @throws UserError where a program declares something else than `desired.json` says */
export async function refuseStale(env: Environment): Promise<void> {
  const file = specPath(env);
  if (!isOfProgram({ file }) || isSame(file, await askDesired(file, env))) return;
  throw new UserError(
    `${DESIRED} is stale: the program declares something else; update and commit it: ${appIn(dirname(file)) ?? ""}`,
    2,
  );
}

/** @returns whether what stood there said something else, and was replaced */
export function keepDesired(file: string, desired: string): boolean {
  if (isSame(file, desired)) return false;
  putFile(file, desired, 0o644);
  return true;
}

/** Whether a file says the same, however it is laid out. One that nobody can read says something else. */
function isSame(file: string, desired: string): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(readFileSync(file, "utf8")), JSON.parse(desired));
  } catch {
    return false;
  }
}

const askDesired = (file: string, env: Environment): Promise<string> =>
  heedSignals(async ({ stop }) => (await runProgram(dirname(file), env, { stop })).desired);

interface RunOptions {
  /** What views are to be made from, and the folder for them. Default: none is wanted. */
  readonly views?: { readonly program: Program; readonly outdir: string };
  /** Ends the program, and all that it has started. */
  readonly stop?: AbortSignal | undefined;
}

/**
 * Runs the program of a folder, the `app` of its `cdktf.json`, as cdktf does.
 * @throws UserError with what it refuses; with what it has printed where it fails or ends without an answer
 */
async function runProgram(folder: string, env: Environment, { views, stop }: RunOptions) {
  stop?.throwIfAborted();
  const app = appIn(folder);
  if (app === undefined)
    throw new UserError(
      `${DESIRED} is written by a program, and no cdktf.json beside it names that; expected { "app": "npx tsx main.ts" }`,
      2,
    );
  const scratch = mkdtempSync(join(tmpdir(), "rollout-asked-"));
  const [asked, answer] = [join(scratch, "asked"), join(scratch, "answer")];
  try {
    const given = views && { views: { ...views.program, spec: undefined, cluster: views.program.spec.name } };
    writeFileSync(asked, serialize({ answer, ...given }), { mode: 0o600 });
    const { execa } = await import("execa");
    const out = views ? { CDKTF_OUTDIR: resolve(views.outdir) } : {};
    // In a group of its own: Ctrl-C is for whoever runs it, who ends it with all that its shell has started.
    const child = execa(app, {
      ...{ shell: true, detached: true, cwd: folder, stdin: "ignore", reject: false, all: true },
      env: withoutTokens({ ...env, [ASKED]: asked, ...out }),
    });
    let killing: NodeJS.Timeout | undefined;
    const end = (): void => {
      signalGroup(child.pid, "SIGTERM");
      killing = setTimeout(() => {
        signalGroup(child.pid, "SIGKILL");
      }, GRACE_MS);
    };
    stop?.addEventListener("abort", end);
    const { exitCode, all: said } = await child.finally(() => {
      stop?.removeEventListener("abort", end);
      clearTimeout(killing);
    });
    stop?.throwIfAborted();
    const all = withoutSecrets(said, env).split("\n").slice(-MOST_LINES).join("\n");
    const found = existsSync(answer)
      ? answerSchema.parse(JSON.parse(readFileSync(answer, "utf8")))
      : undefined;
    if (found && "refused" in found) throw new UserError(found.refused, found.exitCode);
    if (found && exitCode === 0) return found;
    const how = exitCode === undefined ? "it was ended" : `exit code ${String(exitCode)}`;
    throw new UserError(
      exitCode === 0
        ? `the program declared nothing (${app}); end it with: await app.synth(), of a RolloutApp${below(all)}`
        : `the program failed (${app}): ${how}${below(all)}`,
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** How long a program that is asked to end may take for it. */
const GRACE_MS = 5000;

/** What of its output says why it failed, in lines. */
const MOST_LINES = 50;

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}

const below = (text: string): string => (text === "" ? "" : `\n${text}`);
