import { readFileSync } from "node:fs";
import { type Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { codeOf, messageOf } from "../clients/error-code.js";
import { durationSeconds } from "../cluster/yaml/duration.js";
import { UserError } from "../cluster/user-error.js";
import type { DeployArgs } from "./deploy.js";
import type { InitArgs } from "./init.js";
import type { PlanVerbArgs } from "./plan-in-words.js";
import type { RehearseOptions } from "./rehearse.js";
import type { UndoArgs } from "./undo.js";
import { packageFile } from "../program/package-file.js";
import { reportFailure } from "../program/report-failure.js";
import { unbuiltSource } from "./unbuilt-source.js";
import { Verb } from "./verb.js";

const format = (...more: readonly "markdown"[]): Option =>
  new Option("--format <format>", "how to print the result")
    .choices(["text", "json", ...more])
    .default("text");

type ReportFormat = "text" | "json" | "markdown";

interface StatusOptions {
  readonly format: "text" | "json";
  readonly watch?: boolean;
  readonly timeout?: number;
  readonly revision?: number;
  readonly until?: "paused";
  readonly failOnPending?: boolean;
}

type DeployOptions = Omit<DeployArgs, "target">;

const toJson = (value: unknown): string => JSON.stringify(value, null, 2);

/** As work is, and in that order. */
const GROUPS = {
  look: "Look:",
  change: "Change the spec:",
  foresee: "Say what a change would do:",
  roll: "Roll:",
  mend: "When something is wrong:",
  end: "For good:",
};

/** Each verb is loaded when it is called. */
export function buildProgram(): Verb {
  const program = new Verb("rollout")
    .description("Puts new images through a Consul and Nomad cluster, one group at a time.")
    .exitOverride()
    .option("--version", "print the version")
    .on("option:version", () => {
      print(version());
      throw new CommanderError(0, "commander.version", "");
    })
    .showHelpAfterError("(rollout --help lists the verbs)")
    .addHelpText(
      "after",
      `
The spec is cluster.yaml, or what CLUSTER names. Views are deployed by: npx cdktf deploy GROUP
Alone it says where the cluster stands and what comes next, as status does.
Exit codes: 0 fine or nothing to do, 1 refused or failed, 2 wrong usage or a mistake in
the spec, 3 pending (status --fail-on-pending). With --format json a refusal is JSON, too.`,
    );

  program
    .command("init")
    .helpGroup(GROUPS.change)
    .summary("make a project in this folder, which declares a cluster")
    .description(
      "Makes a project in this folder: the cluster, what cdktf and npm need, a snapshot test and a workflow for CI. Nothing is overwritten.",
    )
    .option("--typescript", "a program declares the cluster, in place of a YAML")
    .addOption(
      new Option("--platform <platform>", "where the machines are")
        .choices(["local", "aws"])
        .default("local"),
    )
    .example("", "cluster.yaml, of a cluster on this machine")
    .example("--typescript --platform aws", "a program, of a cluster on AWS")
    .exits({ 0: "the project is made", 1: "it could not be written", 2: "wrong usage, or files stand there" })
    .action(async (options: InitArgs) => {
      const { runInit } = await import("./init.js");
      const { ensureTerraform } = await import("./ensure-terraform.js");
      const { onTerminal } = await import("./ask.js");
      const folder = process.cwd();
      print(runInit(folder, options));
      // The project is made, whatever becomes of this.
      await ensureTerraform({ env: process.env, folder, dialogue: onTerminal(), note }).catch(
        (error: unknown) => {
          if (!(error instanceof UserError)) throw error;
          note(`warning: ${error.message}`);
        },
      );
    });

  program
    .command("validate")
    .helpGroup(GROUPS.change)
    .description("check the spec alone; status says what is deployed")
    .example("", "says what the spec describes")
    .exits({ 0: "the spec is valid" })
    .action(async () => {
      const { runValidate } = await import("./validate.js");
      print(await runValidate(process.env));
    });

  const set = program.command("set").helpGroup(GROUPS.change).description("change the spec");
  set
    .command("image")
    .summary("set the image of groups: rollout set image broker-0=ami-0bbb")
    .description("Sets the image of groups in the spec. Its comments and its layout stay.")
    .argument("<group=image...>", "which group gets which image; with --packer the groups alone")
    .option(
      "--packer <manifest>",
      "take the image of the spec's region from the file of Packer's manifest post-processor",
    )
    .example("broker-0=ami-0bbb", "one group, as for its roll")
    .example("broker-1=ami-0bbb broker-2=ami-0bbb", "two groups, which takes rollout.pendingGroups: queue")
    .example("--packer packer-manifest.json broker-0", "the image that Packer built")
    .action(async (assignments: string[], options: { packer?: string }) => {
      const { runSetImage } = await import("./set-image.js");
      print(await runSetImage(process.env, { assignments, ...options }));
    });

  program
    .command("status")
    .helpGroup(GROUPS.look)
    .summary("show which group runs what, and what comes next")
    .description(
      "Shows what the cluster is (one phase, one message), which group runs what, and what comes next. It reads the state and the log of runs, and asks no agent.",
    )
    .argument("[group]", "say what one group is, instead of the whole cluster")
    .option("--watch", "print a line whenever it changes; ends 0 when healthy, 1 when failed or paused")
    .option("--timeout <duration>", "give up watching after this time (default: 30m)", usage(durationSeconds))
    .option("--revision <number>", "watch until the group runs this revision", usage(revisionNumber))
    .option("--fail-on-pending", "end with 3 where it is not healthy")
    .addOption(new Option("--until <phase>", "a pause, too, ends the watch with 0").choices(["paused"]))
    .addOption(format())
    .example("", "the whole cluster")
    .example("broker-1", "one group")
    .example("--watch --timeout 2h", "a line a change, until the roll is over")
    .example("broker-1 --watch --revision 16", "until the group runs that revision")
    .exits({
      0: "fine; with --watch: healthy, or what --until or --revision waits for",
      1: "the state cannot be read; with --watch: failed, paused, cancelled, superseded or out of time",
      3: "with --fail-on-pending: not healthy",
    })
    .action(async (group: string | undefined, options: StatusOptions) => {
      const { runStatus, runWatch } = await import("./status.js");
      const { format, watch = false, timeout, revision, until, failOnPending = false } = options;
      if (!watch && [timeout, revision, until].some((option) => option !== undefined))
        throw new UserError("--timeout, --revision and --until are for --watch", 2);
      if (watch && failOnPending) throw new UserError("--fail-on-pending is not for --watch", 2);
      refuseLoneRevision(options, group, "status broker-1 --watch");
      if (!watch) {
        const { text, isHealthy } = await runStatus(process.env, { format, group });
        print(text);
        if (failOnPending && !isHealthy) process.exitCode = 3;
        return;
      }
      await runWatch(
        process.env,
        { format, group, timeoutSeconds: timeout ?? 1800, revision, untilPaused: until === "paused" },
        print,
      );
    });

  program
    .command("history")
    .helpGroup(GROUPS.look)
    .summary("show what each group ran, oldest first: revisions, and rolls that failed")
    .description(
      "Shows what each group ran, oldest first, with the rolls that failed. Revisions come from the state, times and failures from the log of runs.",
    )
    .argument("[group]", "show one group; default: all groups")
    .option("--revision <number>", "show one revision of the group in full", usage(revisionNumber))
    .addOption(format())
    .example("", "all groups")
    .example("broker-0 --revision 3", "one revision in full")
    .action(async (group: string | undefined, options: { format: "text" | "json"; revision?: number }) => {
      refuseLoneRevision(options, group, "history broker-1");
      const { runHistory } = await import("./history.js");
      print(await runHistory(process.env, { group, ...options }));
    });

  program
    .command("checks")
    .helpGroup(GROUPS.look)
    .description("try a pool's own checks now; nothing is changed")
    .argument("<pool>", "a pool, or a group of it for {group} in a check of the whole pool")
    .addOption(format())
    .example("broker", "what a roll asks before a group leaves, and after")
    .exits({ 0: "all pass", 1: "one fails, or nobody could be asked" })
    .action(async (target: string, { format }: { format: "text" | "json" }) => {
      const { formatChecks, runChecks } = await import("./checks.js");
      const answers = await runChecks(process.env, target);
      print({ text: formatChecks, json: toJson }[format](answers));
      if (!answers.every(({ passed }) => passed)) process.exitCode = 1;
    });

  program
    .command("undo")
    .helpGroup(GROUPS.mend)
    .summary("set a group in the spec back to an earlier revision's template; deploy then rolls it")
    .description(
      "Sets a group's image, instance type and volumes in the spec back to an earlier revision's, for deploy to roll. A half-rolled group goes back to its last good revision, whole. No data volume becomes smaller.",
    )
    .argument("[target]", "the group that goes back, or a pool: its last roll, group by group")
    .option("--all", "the last roll of all groups", false)
    .option(
      "--to-revision <number>",
      "the revision to go back to; default: the last of another template",
      usage(revisionNumber),
    )
    .option("--dry-run", "check all the same, and change nothing")
    .despite("downgrade")
    .example("broker-0", "to the revision before")
    .example("broker-0 --to-revision 3 --dry-run", "what an earlier one would mean")
    .example("broker", "the last roll of a pool, group by group")
    .exits({ 0: "the spec is set back", 1: "refused, or there is nothing to undo" })
    .action(async (target: string | undefined, options: Omit<UndoArgs, "target">) => {
      const { runUndo } = await import("./undo.js");
      print(await runUndo(process.env, { target, ...options }, console.error));
    });

  program
    .command("restart")
    .helpGroup(GROUPS.mend)
    .description("raise a group's generation in the spec: deploy then replaces its machines as they are")
    .argument("<group>", "the group whose machines are replaced")
    .example("broker-0", "new machines, of the same image")
    .action(async (group: string) => {
      const { runRestart } = await import("./restart.js");
      print(await runRestart(process.env, { group }));
    });

  program
    .command("deploy")
    .helpGroup(GROUPS.roll)
    .summary(
      "roll a group, a pool or --all, group after group, or go on where a run was cut off: work leaves, new machines, gate, record",
    )
    .description(
      "Rolls a group, or finishes one that was cut off: preflight, plan, guard, question, leave, apply, gate, record. A pool or --all is rolled group after group.",
    )
    .argument(
      "[target]",
      "a group or a pool; cluster: what is new; without it and --all: what status says comes next",
    )
    .option("--all", "every group: Consul servers, Nomad servers, client pools", false)
    .option(
      "--image <image>",
      "the image to roll; cluster.yaml gets it group by group. Default: what is pending",
    )
    .option(
      "--intent <file>",
      "roll what plan --intent wrote and somebody approved, and nothing else; with --sha256",
    )
    .option("--sha256 <hash>", "the hash of the intent that was approved; it is what plan and check print")
    .option("--yes", "roll clients without asking", false)
    .option("--confirm <group...>", "roll these groups without asking, servers among them", [])
    .despite("paused", "manual", "pause-after", "interval", "window")
    .addOption(format())
    .example("", "what comes next: what is in flight, unfinished or pending")
    .example("cluster", "what is new is created")
    .example("broker-0", "one group, or what is left of its roll; machines that died are replaced")
    .example("broker --image ami-0bbb --yes", "a pool of clients, group by group")
    .example("--all --confirm consul-server-0", "what is pending; a server takes its own confirmation")
    .example("--intent intent.json --sha256 07b3e2a7...", "what was approved; nobody is asked")
    .example("broker-1 --despite interval --reason 'an incident'", "before its time")
    .exits({
      0: "rolled, or nothing to do",
      1: "refused or failed, or the run was cancelled",
      2: "wrong usage, a mistake in the spec, or nobody could be asked",
    })
    .action(async (target: string | undefined, options: DeployOptions) => {
      const { runDeploy } = await import("./deploy.js");
      const { formatDeployResult } = await import("./output/deploy.js");
      const { onTerminal } = await import("./ask.js");
      const result = await runDeploy(process.env, { target, ...options }, onTerminal());
      print({ text: formatDeployResult, json: toJson }[options.format](result));
    });

  program
    .command("pause")
    .helpGroup(GROUPS.roll)
    .description("hold back the next group; the one in flight is finished")
    .option("--reason <text>", "shown wherever the pause is")
    .option("--until <time>", "a freeze: it ends by itself then; default: with rollout resume")
    .example("--reason 'release day'", "no further group until rollout resume")
    .example("--until 2026-12-27T06:00+01:00 --reason holidays", "a freeze")
    .action(async (options: { reason?: string; until?: string }) => {
      const { runPause } = await import("./hold.js");
      print(await runPause(process.env, options, new Date()));
    });

  program
    .command("resume")
    .helpGroup(GROUPS.roll)
    .description("let the next group be rolled: takes a pause or a cancel away")
    .example("", "the next group may be rolled")
    .action(async () => {
      const { runResume } = await import("./hold.js");
      print(await runResume(process.env, new Date()));
    });

  program
    .command("cancel")
    .helpGroup(GROUPS.roll)
    .description("end the run once the group in flight is whole; what is rolled already stays")
    .option("--undo", "take the group in flight back to its last image instead")
    .example("", "the group in flight is finished")
    .example("--undo", "the group in flight goes back")
    .action(async (options: { undo?: boolean }) => {
      const { runCancel } = await import("./hold.js");
      print(await runCancel(process.env, options, new Date()));
    });

  program
    .command("gc")
    .helpGroup(GROUPS.mend)
    .description("list what Nomad and Consul remember of machines that are gone, and remove it with --yes")
    .option("--yes", "remove what is listed")
    .option("--system", "ask for Nomad's own garbage collection, too: data of finished allocations goes")
    .addOption(format())
    .example("", "only the list")
    .example("--yes", "what is listed is removed")
    .action(async ({ format, ...asked }: { format: "text" | "json"; yes?: boolean; system?: boolean }) => {
      const { runGc } = await import("./gc.js");
      const gc = await runGc(process.env, asked);
      const { formatGc } = await import("./output/gc.js");
      print(format === "json" ? toJson(gc) : formatGc(gc, asked));
    });

  program
    .command("plan")
    .helpGroup(GROUPS.foresee)
    .summary(
      "make the plan of a view with Terraform and say what it does, or show a whole roll; nothing is changed",
    )
    .description(
      "Makes the real plan of a view with Terraform, and says what it does to machines and what the guard says of it. Of a pool or --all it shows the whole roll before it begins, and makes no plan. Nothing is changed.",
    )
    .argument("[target]", "a group, or cluster; a pool: its whole roll; default: the pending group")
    .option("--all", "the whole roll of every group", false)
    .option("--image <image>", "the whole roll that deploy --image would be")
    .option(
      "--intent <file>",
      "write the whole roll into a file for somebody to approve, which deploy --intent rolls",
    )
    .option(
      "--out <file>",
      "keep the plan in a file, and the verdict on it beside: what was checked can be applied",
    )
    .addOption(format())
    .example("", "the pending group")
    .example("broker --image ami-0bbb", "a pool: in which order, how long, what is asked and refused")
    .example("broker-0 --out roll.plan", "kept, with roll.plan.verdict.json beside it")
    .exits({ 0: "accepted", 1: "rejected or refused already, or no plan could be made" })
    .action(async (view: string | undefined, options: Omit<PlanVerbArgs, "view">) => {
      const { planInWords } = await import("./plan-in-words.js");
      const { text, isAccepted } = await planInWords(process.env, { view, ...options });
      print(text);
      if (!isAccepted) process.exitCode = 1;
    });

  program
    .command("check")
    .helpGroup(GROUPS.foresee)
    .summary("judge a plan: accepted (0) or rejected (1); plan makes one, review explains a change")
    .description("Judges a plan by the spec and the state. A plan that it does not understand is rejected.")
    .argument(
      "<plan>",
      "what terraform show -json printed, a saved plan, an intent of plan --intent, or - for standard input",
    )
    .option(
      "--sha256 <hash>",
      "demand exactly the file that was approved, byte for byte; its hash is what check and sha256sum print",
    )
    .addOption(format("markdown"))
    .example("roll.plan", "the verdict, and the hash to approve")
    .example("roll.plan --sha256 07b3e2a7...", "later: is it that very plan, and still accepted?")
    .exits({
      0: "accepted",
      1: "rejected, or not the plan that --sha256 names",
      2: "no plan, wrong usage, or a mistake in the spec",
    })
    .action(async (plan: string, { format, sha256 }: { format: ReportFormat; sha256?: string }) => {
      const { runCheck } = await import("./check.js");
      const result = await runCheck(process.env, { plan, sha256 });
      const { formatCheck, formatCheckMarkdown } = await import("./output/check.js");
      if ("kind" in result) {
        const { formatIntentCheck } = await import("./check-intent.js");
        print(format === "json" ? toJson(result) : formatIntentCheck(result));
      } else print({ text: formatCheck, markdown: formatCheckMarkdown, json: toJson }[format](result));
      if (result.verdict === "rejected") process.exitCode = 1;
    });

  program
    .command("review")
    .helpGroup(GROUPS.foresee)
    .summary("explain what a change of the spec is going to do, from synthesized stacks alone")
    .description(
      "Explains a change of the spec to the person who approves it, from synthesized stacks alone, without credentials.",
    )
    .option(
      "--base <revision>",
      "take what is deployed from the spec at a git revision, without credentials; default: from the state",
    )
    .addOption(format("markdown"))
    .example("--base origin/main", "a change, as a pull request shows it")
    .example("--base origin/main --format markdown", "the same as a comment")
    .exits({ 0: "accepted", 1: "rejected", 2: "nothing to be reviewed, for example an unknown revision" })
    .action(async ({ format, ...options }: { base?: string; format: ReportFormat }) => {
      const { runReview } = await import("./review.js");
      const review = await runReview(process.env, options);
      const { formatReview } = await import("./output/review.js");
      const { formatReviewMarkdown } = await import("./output/review-markdown.js");
      print({ text: formatReview, markdown: formatReviewMarkdown, json: toJson }[format](review));
      if (review.verdict === "rejected") process.exitCode = 1;
    });

  program
    .command("retire")
    .helpGroup(GROUPS.change)
    .description("let a pool of clients leave for good, group by group: writes that into the spec")
    .argument("<pool>", "a pool of clients")
    .option("--delete-volumes", "delete its data volumes once it has left; default: they are kept")
    .option("--confirm <pool>", "the pool's name once more, where nobody can be asked")
    .example("broker", "asks for the name; data volumes are kept")
    .example("broker --confirm broker --delete-volumes", "asks nothing, and deletes them in the end")
    .exits({ 2: "wrong usage, a mistake in the spec, or nobody could be asked" })
    .action(async (pool: string, options: { deleteVolumes?: boolean; confirm?: string }) => {
      const { runRetire } = await import("./retire.js");
      const { onTerminal } = await import("./ask.js");
      print(await runRetire(process.env, { pool, ...options }, onTerminal()));
    });

  program
    .command("destroy")
    .helpGroup(GROUPS.end)
    .description("tear the cluster down for good, data and all; the spec must have protection: off")
    .option("--confirm <cluster>", "the cluster's name, where nobody can be asked")
    .example("", "shows what goes, and asks for the cluster's name")
    .exits({
      0: "destroyed, or nothing was there",
      2: "wrong usage, a mistake in the spec, or nobody could be asked",
    })
    .action(async (options: { confirm?: string }) => {
      const { runDestroy } = await import("./destroy.js");
      const { onTerminal } = await import("./ask.js");
      print(await runDestroy(process.env, options, onTerminal()));
    });

  program
    .command("rehearse")
    .helpGroup(GROUPS.foresee)
    .description("roll a cluster like this one on this machine, under load; nothing real is touched")
    .argument("[group...]", "groups to roll; default: one of clients and a Consul server")
    .addOption(
      new Option("--agents <agents>", "simulated, or consul and nomad from the PATH (Linux)")
        .choices(["simulated", "real"])
        .default("simulated"),
    )
    .option("--spec <file>", "the spec; default: cluster.yaml, or what CLUSTER names")
    .option("--keep", "leave the cluster for a look", false)
    .addOption(
      new Option("--clean", "remove what rehearsals have left, and do nothing else").conflicts([
        "keep",
        "spec",
        "agents",
      ]),
    )
    .addOption(format())
    .example("", "one group of clients and a Consul server")
    .example("broker-0 --agents real", "one group, on the real consul and nomad")
    .example("--clean", "removes what was kept")
    .exits({ 0: "passed", 1: "requests failed, writes were lost, work moved twice, or it could not run" })
    .action(async (groups: string[], options: RehearseOptions) => {
      const { runRehearseVerb } = await import("./rehearse.js");
      process.exitCode = await runRehearseVerb({ groups, ...options }, print);
    });
  const order = Object.values(GROUPS);
  const placeOf = (verb: Command): number => order.indexOf(verb.helpGroup());
  (program.commands as Command[]).sort((one, other) => placeOf(one) - placeOf(other));
  return program;
}

/** Read when it is asked for, and without a schema, which every start would have to load. */
const version = (): string =>
  (JSON.parse(readFileSync(packageFile("package.json"), "utf8")) as { readonly version: string }).version;

/** What is no value of an option is wrong usage, in the words of whoever reads it. */
const usage =
  <T>(parse: (text: string) => T) =>
  (text: string): T => {
    try {
      return parse(text);
    } catch (error) {
      throw error instanceof UserError ? new InvalidArgumentError(error.message) : error;
    }
  };

function revisionNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UserError(`no revision: "${text}"; see rollout history`, 2);
}

function refuseLoneRevision(
  { revision }: { revision?: number },
  group: string | undefined,
  call: string,
): void {
  if (revision === undefined || group !== undefined) return;
  throw new UserError(`--revision is that of a group; name it: rollout ${call} --revision 16`, 2);
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const note = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Help and version that were asked for are fine, every other word of commander's is wrong usage. */
const exitCodeOf = (error: CommanderError): number =>
  ["commander.helpDisplayed", "commander.version"].includes(error.code) ? 0 : 2;

/**
 * Runs the verb that the command line names, and sets the exit code.
 * @param root the folder of the package. Default: nothing is said of a build that is older than its sources
 */
export async function runRollout(root?: string): Promise<void> {
  // A verb prints once it is done: a reader that has gone (`| head`) ends it as SIGPIPE would, and a full disk with an error.
  process.stdout.on("error", (error) => process.exit(codeOf(error) === "EPIPE" ? 141 : reportFailure(error)));
  // What it does meanwhile it tells here: nobody may hear of that, and a roll goes on all the same.
  process.stderr.on("error", () => undefined);
  const unbuilt = root === undefined ? undefined : unbuiltSource(root);
  if (unbuilt !== undefined) note(`${unbuilt} is newer than the build that runs; build again: npm run build`);
  try {
    const words = process.argv.slice(2);
    await buildProgram().parseAsync(words.length === 0 ? ["status"] : words, { from: "user" });
  } catch (error) {
    const exitCode = error instanceof CommanderError ? exitCodeOf(error) : reportFailure(error);
    process.exitCode = exitCode;
    const isJson = / --format[ =]json( |$)/.test(` ${process.argv.slice(2).join(" ")}`);
    if (isJson && exitCode !== 0) print(JSON.stringify({ error: messageOf(error), exitCode }));
  }
}
