import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import ts from "typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(`${root}docs/how-to/15-declare-in-typescript.md`, "utf8");
const [block = "", adding = ""] = Array.from(page.matchAll(/```ts\n([^]*?)```/g), ([, text = ""]) => text);

/** What the compiler has against each program, as if it stood in the top folder. Loading all types takes by far the longest. */
function complaints<Name extends string>(programs: Readonly<Record<Name, string>>): Record<Name, string[]> {
  const files = new Map(
    Object.entries<string>(programs).map(([name, text]) => [`${root}${name}-of-the-page.ts`, text]),
  );
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const host = ts.createCompilerHost(options);
  const before = { ...host };
  host.fileExists = (path) => files.has(path) || before.fileExists(path);
  host.readFile = (path) => files.get(path) ?? before.readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const text = files.get(path);
    return text === undefined
      ? before.getSourceFile(path, ...rest)
      : ts.createSourceFile(path, text, ts.ScriptTarget.ES2023);
  };
  const made = ts.createProgram([...files.keys()], options, host);
  const found = Object.keys(programs).map((name) => {
    const source = made.getSourceFile(`${root}${name}-of-the-page.ts`);
    const all = [...made.getSyntacticDiagnostics(source), ...made.getSemanticDiagnostics(source)];
    return [name, all.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "))];
  });
  return Object.fromEntries(found) as Record<Name, string[]>;
}

test("the programs of the page on TypeScript compile, and with two images or without a view they do not", () => {
  expect(block).toContain("new ClientPool(demo, ");
  expect(adding).toContain("RolloutApp.fromYaml()");
  const programs = {
    block,
    adding,
    twoImages: block.replace("[next, old, old]", "[next, old]"),
    nowhere: adding.replace("(view, ", "("),
  };
  expect(complaints(programs)).toEqual({
    block: [],
    adding: [],
    twoImages: [
      "Type '[string, string]' is not assignable to type 'Three<string>'.   Source has 2 element(s) but target requires 3.",
    ],
    nowhere: ["Argument of type 'string' is not assignable to parameter of type 'Construct'."],
  });
});
