import { localMachines } from "../clients/local-machines/machines.js";
import { UserError } from "../cluster/user-error.js";
import { rehearsalSchema } from "../rehearsal/report.js";
import { cleanRehearsals } from "../rehearsal/folder.js";
import { formatRehearsal } from "./output/rehearsal.js";
import { runRehearse, type RehearseArgs } from "../rehearsal/rehearse.js";
import { inLines, isWatched, inPlace } from "./output/tasks.js";
import { onTerminal } from "./ask.js";
import { ensureTerraform } from "./ensure-terraform.js";

/** What `rollout rehearse` is asked for at the command line. */
export interface RehearseOptions extends Omit<RehearseArgs, "groups"> {
  readonly clean?: boolean;
  readonly format: "text" | "json";
}

/** Runs the verb: the result on standard output, all else on standard error or in place. @returns the exit code */
export async function runRehearseVerb(
  { groups, clean, format, ...options }: RehearseOptions & { readonly groups: readonly string[] },
  print: (text: string) => void,
): Promise<0 | 1> {
  const note = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  if (clean === true) {
    if (groups.length > 0) throw new UserError("--clean takes no groups: it removes every rehearsal", 2);
    (await cleanRehearsals(localMachines)).forEach(print);
    return 0;
  }
  await ensureTerraform({ env: process.env, folder: process.cwd(), dialogue: onTerminal(), note });
  const isDrawn = format === "text" && isWatched();
  const run = isDrawn ? inPlace : inLines(note);
  const rehearsal = await runRehearse(
    { env: process.env, clusterIn: localMachines, run, note },
    { ...options, groups },
  );
  if (isDrawn) print("");
  print(
    format === "json"
      ? JSON.stringify(rehearsalSchema.parse(rehearsal), null, 2)
      : formatRehearsal(rehearsal),
  );
  return rehearsal.verdict === "passed" ? 0 : 1;
}
