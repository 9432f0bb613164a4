import {
  Composer,
  type CST,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
  YAMLParseError,
  type Document,
  type Node,
  type Pair,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import { formatPath, formatValue, SpecError, type Problem } from "./problem.js";

/** Maps and lists in each other: a spec needs five levels; thousands would exhaust the stack of whatever reads them. */
const MOST_LEVELS = 50;

/** A YAML text that was read without doubt: one document, no alias, no key twice. It knows where each value stands. */
export class YamlSource {
  readonly value: unknown;
  private readonly document: Document;
  private readonly lines = new LineCounter();
  private readonly pairs = new Map<YAMLMap, ReadonlyMap<string, Pair>>();

  /** @throws SpecError when the text cannot be read or leaves something in doubt */
  constructor(
    readonly text: string,
    readonly file: string,
  ) {
    this.document = documentOf(text, tokensOf(text, file, this.lines));
    for (const problems of [this.syntaxProblems(), this.nodeProblems(this.document.contents)]) {
      if (problems.length > 0) throw new SpecError(file, problems);
    }
    this.value = this.document.toJS();
    if (this.value === null) throw new SpecError(file, [EMPTY]);
  }

  /** The node of a value, with its place in the text; undefined where nothing is. */
  nodeAt(path: readonly PropertyKey[]): Node | undefined {
    return path.reduce<Node | undefined>((node, part) => {
      const value = isMap(node)
        ? this.pairOf(node, part)?.value
        : isSeq(node)
          ? node.items[Number(part)]
          : undefined;
      return isNode(value) ? value : undefined;
    }, this.document.contents ?? undefined);
  }

  /** The line of a key or of a list's item, else that of the nearest thing around it; counted from 1. */
  lineOf(path: readonly PropertyKey[]): number | undefined {
    for (let length = path.length; length > 0; length--) {
      const key = this.keyAt(path.slice(0, length));
      if (key?.range) return this.lineAt(key.range[0]);
    }
    return undefined;
  }

  /** The node of a value's key, or of a list's item; undefined where nothing is. */
  keyAt(path: readonly PropertyKey[]): Node | undefined {
    const parent = this.nodeAt(path.slice(0, -1));
    const key = isMap(parent) ? this.pairOf(parent, path.at(-1) ?? "")?.key : this.nodeAt(path);
    return isNode(key) ? key : undefined;
  }

  private lineAt(offset: number): number {
    return this.lines.linePos(offset).line;
  }

  /** Of errors in the structure only the first: the others mostly follow from it, and a tab brings them all about. */
  private syntaxProblems(): Problem[] {
    const { errors, warnings } = this.document;
    const tabs = errors.filter(({ code }) => code === "TAB_AS_INDENT");
    const shown = tabs.length > 0 ? tabs : errors.slice(0, 1);
    return [...shown, ...warnings].map((error) => ({
      line: this.lineAt(error.pos[0]),
      path: "",
      message: `not valid YAML: ${inOurWords(error)}`,
    }));
  }

  private nodeProblems(node: unknown, path: readonly PropertyKey[] = []): Problem[] {
    if (isAlias(node)) {
      const message = `the alias *${node.source} is not allowed; write the value out, so that a change reaches one group only`;
      return [{ ...this.lineField(node), path: formatPath(path), message }];
    }
    if (isSeq(node)) return node.items.flatMap((item, index) => this.nodeProblems(item, [...path, index]));
    if (!isMap(node)) return [];
    const below = node.items.flatMap(({ key, value }) =>
      [key, value].flatMap((each) => this.nodeProblems(each, [...path, keyText(key)])),
    );
    return [...this.keyProblems(node, path), ...below];
  }

  private keyProblems(map: YAMLMap, path: readonly PropertyKey[]): Problem[] {
    const first = new Map<string, Pair>();
    this.pairs.set(map, first);
    return map.items.flatMap((pair) => {
      if (isCollection(pair.key)) {
        return [
          { ...this.lineField(pair.key), path: formatPath(path), message: "a list or a map cannot be a key" },
        ];
      }
      const key = keyText(pair.key);
      const before = first.get(key);
      if (!before) {
        first.set(key, pair);
        return [];
      }
      const line = String(this.lineField(before.key).line);
      const message = `the key stands here a second time, after line ${line}; keep one`;
      return [{ ...this.lineField(pair.key), path: formatPath([...path, key]), message }];
    });
  }

  private pairOf(map: YAMLMap, key: PropertyKey): Pair | undefined {
    return this.pairs.get(map)?.get(String(key));
  }

  private lineField(node: unknown): { line?: number } {
    return isNode(node) && node.range ? { line: this.lineAt(node.range[0]) } : {};
  }
}

const EMPTY: Problem = { path: "", message: "the file is empty; start from cluster.example.yaml" };

/**
 * The tokens of the whole text. How deep it is nested is found before it is composed, since composing and all that follows
 * is recursive.
 */
function tokensOf(text: string, file: string, lines: LineCounter): CST.Token[] {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  const tokens: CST.Token[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    if (parser.stack.length > MOST_LEVELS) {
      const line = text.slice(0, parser.offset).split("\n").length;
      const message = `nested more than ${String(MOST_LEVELS)} levels deep; a spec has five`;
      throw new SpecError(file, [{ line, path: "", message }]);
    }
  }
  return [...tokens, ...parser.end()];
}

/** The first document, as the library's own `parseDocument` makes it; of a second one it has the error. */
function documentOf(text: string, tokens: readonly CST.Token[]): Document {
  const composer = new Composer({
    schema: "core", // also for a text that says %YAML 1.1, where no is false
    uniqueKeys: false, // the library compares each key with each other; see keyProblems
    logLevel: "error",
  });
  const [document, second] = composer.compose(tokens, true, text.length);
  if (!document) throw new Error("the library composed no document");
  if (second) {
    const [start, end] = second.range;
    document.errors.push(
      new YAMLParseError([start, end], "MULTIPLE_DOCS", "Source contains multiple documents"),
    );
  }
  return document;
}

/** A key as it is called once it is a property. */
function keyText(key: unknown): string {
  if (!isScalar(key) || key.value === null) return "";
  return typeof key.value === "string" ? key.value : formatValue(key.value);
}

const SYNTAX: Partial<Record<YAMLError["code"], string>> = {
  BLOCK_AS_IMPLICIT_KEY:
    "a second colon in one line, or a line that is indented too far; quote a text that has a colon",
  MULTILINE_IMPLICIT_KEY: "a key and its colon must stand on one line",
  MULTIPLE_DOCS: "more than one document (---) in the file; keep one",
  TAB_AS_INDENT: "a tab is used for indentation; use spaces",
};

/** YAML's own terms as people say them who do not know its grammar. */
function inOurWords(error: YAMLError): string {
  const text = error.message
    .replace(/flow sequence/i, "a list in [ ]")
    .replace(/flow map(ping)?/i, "a map in { }")
    .replace(" in block collection", "")
    .replace("mapping items", "keys of a map")
    .replace("sequence items", "items of a list")
    .replace(/implicit (map )?keys/i, "keys")
    .replace(/((?:extra characters|tag|token):|directive|version|escape sequence) (\S.*)$/i, '$1 "$2"')
    .replace(/missing closing (["'])quote/i, "a text that begins with $1 does not end");
  return SYNTAX[error.code] ?? text.charAt(0).toLowerCase() + text.slice(1);
}
