#!/usr/bin/env node
import { Argument, Command, CommanderError, Option } from "commander";
import type { HookArgs } from "./hook/hook-context.js";
import { reportFailure } from "./report-failure.js";

const format = (): Option =>
  new Option("--format <format>", "how to print the result").choices(["text", "json"]).default("text");

type ReportFormat = "text" | "json" | "markdown";

const reportFormat = (): Option =>
  new Option("--format <format>", "how to print the result")
    .choices(["text", "json", "markdown"])
    .default("text");

const toJson = (value: unknown): string => JSON.stringify(value, null, 2);

/** Each verb is loaded when it is called, so that hooks start fast. */
function buildProgram(): Command {
  const program = new Command("rollout")
    .description("Puts new images through a Consul and Nomad cluster, one group at a time.")
    .exitOverride()
    .showHelpAfterError("(rollout --help lists the verbs)")
    .addHelpText(
      "after",
      `
The spec is cluster.yaml, or what CLUSTER names. Views are deployed by: npx cdktf deploy GROUP
Exit codes: 0 fine, 1 rejected or failed, 2 wrong usage.`,
    );

  program
    .command("validate")
    .description("check the spec alone; status says what is deployed")
    .action(async () => {
      const { runValidate } = await import("./validate.js");
      print(runValidate(process.env));
    });

  const set = program.command("set").description("change the spec");
  set
    .command("image")
    .description("set the image of groups: rollout set image broker-0=ami-0bbb")
    .argument("<group=image...>", "with --packer the groups alone")
    .option(
      "--packer <manifest>",
      "take the image of the spec's region from the file of Packer's manifest post-processor",
    )
    .action(async (assignments: string[], options: { packer?: string }) => {
      const { runSetImage } = await import("./set-image.js");
      print(runSetImage(process.env, { assignments, ...options }));
    });

  program
    .command("status")
    .description("show which group runs what, and what comes next")
    .addOption(format())
    .action(async (options: { format: "text" | "json" }) => {
      const { runStatus } = await import("./status.js");
      print(await runStatus(process.env, options));
    });

  program
    .command("plan")
    .description("make the plan of a view with Terraform and say what it does; nothing is changed")
    .argument("[group]", "a group, or cluster; default: the pending one")
    .option(
      "--out <file>",
      "keep the plan in a file, and the verdict on it beside: what was checked can be applied",
    )
    .addOption(format())
    .action(async (view: string | undefined, { format, out }: { format: "text" | "json"; out?: string }) => {
      const { runPlan } = await import("./plan.js");
      const made = await runPlan(process.env, {
        ...(view === undefined ? {} : { view }),
        ...(out === undefined ? {} : { out }),
      });
      const { formatMadePlan } = await import("./format-plan.js");
      print(formatMadePlan(made, format));
      if (made.result.verdict === "rejected") process.exitCode = 1;
    });

  program
    .command("deploy")
    .description(
      "roll a group, or finish it where a run was cut off: its work leaves, new machines, gate, record",
    )
    .argument("<group>")
    .option("--yes", "roll clients without asking", false)
    .option("--confirm <group...>", "roll these groups without asking, servers among them", [])
    .addOption(format())
    .action(async (group: string, options: { yes: boolean; confirm: string[]; format: "text" | "json" }) => {
      const { formatDeployResult, runDeploy } = await import("./deploy.js");
      const result = await runDeploy(process.env, { group, ...options });
      print({ text: formatDeployResult, json: toJson }[options.format](result));
    });

  program
    .command("check")
    .description("judge a plan: accepted (0) or rejected (1); plan makes one, review explains a change")
    .argument("<plan>", "what terraform show -json printed, a saved plan, or - for standard input")
    .option(
      "--sha256 <hash>",
      "demand exactly the file that was approved, byte for byte; its hash is what check and sha256sum print",
    )
    .addOption(reportFormat())
    .action(async (plan: string, { format, sha256 }: { format: ReportFormat; sha256?: string }) => {
      const { runCheck } = await import("./check.js");
      const result = await runCheck(process.env, { plan, ...(sha256 === undefined ? {} : { sha256 }) });
      const { formatCheck, formatCheckMarkdown } = await import("./format-check.js");
      print({ text: formatCheck, markdown: formatCheckMarkdown, json: toJson }[format](result));
      if (result.verdict === "rejected") process.exitCode = 1;
    });

  program
    .command("review")
    .description("explain what a change of the spec is going to do, from synthesized stacks alone")
    .option(
      "--base <revision>",
      "take what is deployed from the spec at a git revision, without credentials; default: from the state",
    )
    .addOption(reportFormat())
    .action(async ({ format, ...options }: { base?: string; format: ReportFormat }) => {
      const { runReview } = await import("./review.js");
      const review = await runReview(process.env, options);
      const { formatReview } = await import("./format-review.js");
      const { formatReviewMarkdown } = await import("./format-review-markdown.js");
      print({ text: formatReview, markdown: formatReviewMarkdown, json: toJson }[format](review));
      if (review.verdict === "rejected") process.exitCode = 1;
    });

  program
    .command("hook", { hidden: true })
    .description("what Terraform calls")
    .addArgument(new Argument("<hook>").choices(["leave", "lb-drained", "ready", "configure-consul"]))
    .argument("<subject>")
    .option("--hash <hash>")
    .option("--stay <hosts>")
    .action(async (hook: HookArgs["hook"], subject: string, options: { hash?: string; stay?: string }) => {
      const { runHook } = await import("./hook/run-hook.js");
      await runHook(process.env, { hook, subject, ...options }, print);
    });
  return program;
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** Help and version that were asked for are fine, every other word of commander's is wrong usage. */
const exitCodeOf = (error: CommanderError): number =>
  ["commander.helpDisplayed", "commander.version"].includes(error.code) ? 0 : 2;

try {
  await buildProgram().parseAsync();
} catch (error) {
  process.exitCode = error instanceof CommanderError ? exitCodeOf(error) : reportFailure(error);
}
