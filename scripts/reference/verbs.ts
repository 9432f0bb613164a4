import type { Argument, Option } from "commander";
import { buildProgram } from "../../cli/rollout.js";
import { Verb } from "../../cli/verb.js";
import { anchor, bullet, para, table } from "./markdown.js";

/** The reference of the command line: a section for each verb. */
export function verbsPage(): string {
  const verbs = verbsOf(buildProgram());
  return [
    "# Verbs",
    "<!-- Written by npm run reference from cli/rollout.ts: edit the descriptions there. -->",
    para(
      "All read the spec, `cluster.yaml` or what `CLUSTER` names, and take what is secret from the environment alone. `npx rollout VERB --help` prints what stands here.",
    ),
    verbs
      .map((verb) =>
        bullet(`[\`${verb.fullName}\`](#${anchor(verb.fullName)}): ${verb.summary() || verb.description()}`),
      )
      .join("\n"),
    "## Exit codes",
    para(
      'With `--format json` a refusal is JSON on standard output, too, on one line: `{"error":"...","exitCode":1}`.',
    ),
    table(
      ["verb", "0", "1", "2", "3"],
      verbs.map(({ fullName, exitCodes }) => [
        `\`${fullName}\``,
        ...([0, 1, 2, 3] as const).map((code) => exitCodes[code] ?? "-"),
      ]),
    ),
    ...verbs.map(section),
  ]
    .join("\n\n")
    .concat("\n");
}

/** The commands that do something, in the order in which they are declared. */
export function verbsOf(command: Verb): Verb[] {
  const below = command.commands.flatMap((each) => (each instanceof Verb ? verbsOf(each) : []));
  return below.length === 0 ? [command] : below;
}

function section(verb: Verb): string {
  const terms = [
    ...verb.registeredArguments.map((argument) => bullet(`${term(argument)}: ${argument.description}`)),
    ...verb.options.map((option) => bullet(`\`${option.flags}\`: ${option.description}${valuesOf(option)}`)),
  ];
  const codes = Object.entries(verb.exitCodes).map(([code, what]) => `${code}: ${String(what)}`);
  return [
    `## \`${verb.fullName}\``,
    para(sentence(verb.description())),
    `Usage: \`npx ${verb.fullName} ${verb.usage()}\``,
    ...(terms.length === 0 ? [] : [terms.join("\n")]),
    ["```", ...verb.exampleLines, "```"].join("\n"),
    para(`Exit code ${codes.join("; ")}.`),
  ].join("\n\n");
}

const term = (argument: Argument): string => {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return `\`${argument.required ? `<${name}>` : `[${name}]`}\``;
};

function valuesOf({ argChoices, defaultValue }: Option): string {
  const choices =
    argChoices === undefined ? "" : `; ${argChoices.map((choice) => `\`${choice}\``).join(", ")}`;
  return typeof defaultValue === "string" ? `${choices}; default: \`${defaultValue}\`` : choices;
}

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;
