// Refuses a command in a message that is in no row of remedies.ts, which a test plays, and a row that no message names.
import { relative } from "node:path";
import ts from "typescript";

const { config } = ts.readConfigFile("tsconfig.build.json", ts.sys.readFile);
const { fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, ".");

const TABLE = "scripts/remedies.ts";
/** They declare verbs and describe keys, and a rehearsal is no cluster of anybody's. */
const NO_MESSAGES =
  /^(scripts|packages|rehearsal|__tests__|bench)\/|^cli\/(rollout|output\/rehearsal)\.ts$|^cluster\/yaml\/schema\.ts$/;
/** Verbs that only look. */
const LOOKS = /^rollout (status|history|plan|review|check|validate|hook)\b/;

/** What a command looks like; an expression of a template stands there as `{}`. */
const FORMS = [
  /\b(?:npx )?cdktf deploy \S+/g,
  /\brollout (?!(?:runs|does|that)\b)(?:set image|deploy cluster|[a-z]+)(?![a-z.:-])/g,
  // Whose verb is put in elsewhere, so that nobody knows which it is.
  /(?<![\w./-])rollout (?:\{\}|$)/g,
  /(?:\bterraform|\btofu|\{\})(?: -chdir=\S+)? (?:untaint|taint|import|force-unlock|state (?:rm|mv|push|replace-provider))\b/g,
  /\bsudo systemctl \S+/g,
  /\bnomad (?:node|operator(?! raft list)|system|server) \S+ \S+/g,
  /\bconsul operator(?! raft list) \S+ \S+/g,
  /\bconsul (?:force-leave|join) \S+/g,
  /\bconsul (?:leave|reload)\b/g,
  /\baws [a-z0-9]+ [a-z-]+/g,
  /\bcp \S+ \S+/g,
];

const parse = (file) => ts.createSourceFile(file, ts.sys.readFile(file) ?? "", ts.ScriptTarget.Latest, true);

const rows = new Map();
const readRows = (node) => {
  if (ts.isPropertyAssignment(node) && ts.isStringLiteral(node.initializer))
    rows.set(node.initializer.text, false);
  ts.forEachChild(node, readRows);
};
readRows(parse(TABLE));

/** The text of an expression as far as its file tells it: `{}` for what it does not. Undefined where it tells nothing. */
function textOf(node, consts) {
  const part = (each) => textOf(each, consts) ?? "{}";
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (ts.isParenthesizedExpression(node)) return textOf(node.expression, consts);
  if (ts.isIdentifier(node)) return consts.get(node.text);
  if (ts.isTemplateExpression(node))
    return (
      node.head.text +
      node.templateSpans.map(({ expression, literal }) => part(expression) + literal.text).join("")
    );
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken)
    return part(node.left) + part(node.right);
  return isJoin(node)
    ? node.expression.expression.elements.map(part).join(textOf(node.arguments[0], consts) ?? ",")
    : undefined;
}

const isJoin = (node) =>
  ts.isCallExpression(node) &&
  ts.isPropertyAccessExpression(node.expression) &&
  node.expression.name.text === "join" &&
  ts.isArrayLiteralExpression(node.expression.expression) &&
  node.arguments.length === 1;

/** The constants of a file that are texts, which its messages are made of. */
function constsOf(source) {
  const consts = new Map();
  const visit = (node) => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer) {
      const text = textOf(node.initializer, consts);
      if (text !== undefined && ts.getCombinedNodeFlags(node) & ts.NodeFlags.Const)
        consts.set(node.name.text, text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return consts;
}

const strangers = [];
for (const file of fileNames.map((name) => relative(".", name))) {
  if (NO_MESSAGES.test(file)) continue;
  const source = parse(file);
  const consts = constsOf(source);
  const visit = (node) => {
    const text = ts.isIdentifier(node) ? "" : (textOf(node, consts) ?? "");
    for (const [found] of FORMS.flatMap((form) => [...text.matchAll(form)])) {
      if (LOOKS.test(found)) continue;
      const words = found.replace(/^(?:terraform|tofu|\{\})(?: -chdir=\S+)? /, "");
      const fits = [...rows.keys()].filter((row) =>
        [found, words, `npx ${found}`].some((each) => each.startsWith(row)),
      );
      const row = fits.sort((one, other) => other.length - one.length)[0];
      if (row !== undefined) rows.set(row, true);
      else {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
        strangers.push(`${file}:${String(line + 1)}: ${found}`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
}

const unnamed = [...rows].filter(([, isNamed]) => !isNamed).map(([row]) => `${TABLE}: ${row}`);
if (strangers.length > 0)
  console.error(`commands in messages that are in no row of ${TABLE}:\n${strangers.join("\n")}`);
if (unnamed.length > 0) console.error(`rows that no message names:\n${unnamed.join("\n")}`);
if (strangers.length + unnamed.length > 0) process.exitCode = 1;
