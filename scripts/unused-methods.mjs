// Lists public methods that nothing uses but tests: knip knows no members of classes.
import { relative } from "node:path";
import ts from "typescript";

/** Methods that wait for their caller, and who that is going to be. */
const AWAITED = {
  "ConsulClient.nodeHealth": "preflight: services of a group that were not healthy before",
  "ConsulClient.services": "preflight: services of a group that were not healthy before",
  "NomadClient.cancelDrain": "undo of a group of clients none of which has left Consul",
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
const isHidden = (member) =>
  !ts.isIdentifier(member.name) ||
  (ts.getCombinedModifierFlags(member) & (ts.ModifierFlags.Private | ts.ModifierFlags.Override)) !== 0;

/** Whether a name is used where it stands: not declared, and not in a comment. */
function uses(file, position) {
  let node = file;
  for (let child = node; child; child = ts.forEachChild(node, (each) => (holds(each, position) ? each : undefined)))
    node = child;
  if (!ts.isIdentifier(node)) return false;
  const { parent } = node;
  const declares = isMethod(parent) || ts.isPropertySignature(parent) || ts.isPropertyAssignment(parent);
  return !declares || parent.name !== node;
}
const holds = (node, position) => node.getStart() <= position && position < node.end;

const isUsed = (file, { name }) =>
  (service.getReferencesAtPosition(file.fileName, name.getStart()) ?? []).some(
    (use) => uses(program.getSourceFile(use.fileName), use.textSpan.start),
  );

const unused = new Map();
for (const file of fileNames.map((name) => program.getSourceFile(name))) {
  const visit = (node) => {
    if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) {
      for (const member of node.members.filter((each) => isMethod(each) && !isHidden(each) && !isUsed(file, each))) {
        const { line } = file.getLineAndCharacterOfPosition(member.getStart());
        const place = `${relative(".", file.fileName)}:${line + 1}`;
        unused.set(`${node.name.text}.${member.name.text}`, place);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
}
for (const [name, place] of unused) console.log(name, place);
