import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import ts from "typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(`${root}docs/how-to/15-declare-in-typescript.md`, "utf8");
const [, block = ""] = /```ts\n([^]*?)```/.exec(page) ?? [];

/** What the compiler has against the page's program, as if it stood in the top folder. */
function complaints(program: string): string[] {
  const file = `${root}cluster-of-the-page.ts`;
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const host = ts.createCompilerHost(options);
  const before = { ...host };
  host.fileExists = (path) => path === file || before.fileExists(path);
  host.readFile = (path) => (path === file ? program : before.readFile(path));
  host.getSourceFile = (path, ...rest) =>
    path === file
      ? ts.createSourceFile(path, program, ts.ScriptTarget.ES2023)
      : before.getSourceFile(path, ...rest);
  const made = ts.createProgram([file], options, host);
  const source = made.getSourceFile(file);
  return [...made.getSyntacticDiagnostics(source), ...made.getSemanticDiagnostics(source)].map(
    ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "),
  );
}

test("the program of the page on TypeScript compiles, and with two images it does not", () => {
  expect(block).toContain("new ClientPool(demo, ");
  expect(complaints(block)).toEqual([]);
  expect(complaints(block.replace("[next, old, old]", "[next, old]"))).toEqual([
    "Type '[string, string]' is not assignable to type 'Three<string>'.   Source has 2 element(s) but target requires 3.",
  ]);
});
