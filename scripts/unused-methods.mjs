// Lists public methods that nothing uses but tests: knip knows no members of classes.
import { relative } from "node:path";
import ts from "typescript";

/** Those that a user's program calls are named by the class, or by what it implements, which `index.ts` exports. */
const PUBLISHED = new Set(ts.sys.readFile("index.ts").match(/\b[A-Z]\w+\b/g));

/** Methods that wait for their caller, and who that is going to be. */
const AWAITED = {
  "ConsulClient.nodeHealth": "preflight: services of a group that were not healthy before",
  "ConsulClient.services": "preflight: services of a group that were not healthy before",
  "NomadClient.jobAllocations": "preflight: work that cannot leave",
  "NomadClient.nodeAllocations": "preflight: work that cannot leave",
};

const { config } = ts.readConfigFile("tsconfig.build.json", ts.sys.readFile);
const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, ".");
const service = ts.createLanguageService({
  ...ts.sys,
  useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
  getCompilationSettings: () => options,
  getScriptFileNames: () => fileNames,
  getScriptVersion: () => "",
  getScriptSnapshot: (file) => ts.ScriptSnapshot.fromString(ts.sys.readFile(file) ?? ""),
  getCurrentDirectory: () => process.cwd(),
  getDefaultLibFileName: ts.getDefaultLibFilePath,
});
const program = service.getProgram();

const isMethod = (member) =>
  ts.isMethodDeclaration(member) || ts.isAccessor(member) || ts.isMethodSignature(member);
/** Called by the language. */
const IMPLICIT = ["toString", "toJSON"];
const isHidden = (member) =>
  !ts.isIdentifier(member.name) ||
  IMPLICIT.includes(member.name.text) ||
  (ts.getCombinedModifierFlags(member) & (ts.ModifierFlags.Private | ts.ModifierFlags.Override)) !== 0;

/** Whether a name is used where it stands: not declared, and not in a comment. */
function uses(file, position) {
  let node = file;
  for (
    let child = node;
    child;
    child = ts.forEachChild(node, (each) => (holds(each, position) ? each : undefined))
  )
    node = child;
  if (!ts.isIdentifier(node)) return false;
  const { parent } = node;
  const declares = isMethod(parent) || ts.isPropertySignature(parent) || ts.isPropertyAssignment(parent);
  return !declares || parent.name !== node;
}
const holds = (node, position) => node.getStart() <= position && position < node.end;

const isUsed = (file, { name }) =>
  (service.getReferencesAtPosition(file.fileName, name.getStart()) ?? []).some((use) =>
    uses(program.getSourceFile(use.fileName), use.textSpan.start),
  );

const namesOf = ({ name, heritageClauses = [] }) => [
  name.text,
  ...heritageClauses
    .filter(({ token }) => token === ts.SyntaxKind.ImplementsKeyword)
    .flatMap(({ types }) => types.map(({ expression }) => expression.text)),
];

/** The public members of the product's classes and interfaces, by name, with their file. The simulator is driven by tests, too. */
function* publicMembers() {
  for (const file of fileNames
    .filter((name) => !name.startsWith("packages/"))
    .map((name) => program.getSourceFile(name)))
    for (const node of file.statements
      .filter((each) => ts.isClassDeclaration(each) || ts.isInterfaceDeclaration(each))
      .filter((each) => !namesOf(each).some((name) => PUBLISHED.has(name))))
      for (const member of node.members.filter((each) => isMethod(each) && !isHidden(each)))
        yield { file, member, name: `${node.name.text}.${member.name.text}` };
}

const unused = new Map(
  [...publicMembers()]
    .filter(({ file, member }) => !isUsed(file, member))
    .map(({ name, ...at }) => [name, at]),
);
const problems = [
  ...[...unused].flatMap(([name, { file, member }]) => {
    const { line } = file.getLineAndCharacterOfPosition(member.getStart());
    return name in AWAITED
      ? []
      : [`${relative("", file.fileName)}:${line + 1}: nothing but tests uses ${name}; delete it`];
  }),
  ...Object.keys(AWAITED).flatMap((name) =>
    unused.has(name)
      ? []
      : [`${name} is used by now, or gone; take it out of the table in scripts/unused-methods.mjs`],
  ),
];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
