/** An element of an AWS answer: attributes are left out, because nothing of interest is in them. */
export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

interface OpenElement {
  readonly name: string;
  readonly children: OpenElement[];
  text: string;
}

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** Reads the plain XML of AWS's Query APIs: elements and text; no CDATA, no comments, no mixed content. */
export function parseXml(source: string): XmlElement {
  const root: OpenElement = { name: "", children: [], text: "" };
  const open = [root];
  for (const [, declaration, slash, name, selfClosing, text] of source.matchAll(
    /<(\?[^>]*)>|<(\/?)([\w:.-]+)[^>]*?(\/?)>|([^<]+)/g,
  )) {
    const current = open.at(-1) ?? root;
    if (declaration !== undefined) continue;
    if (text !== undefined) current.text += unescape(text);
    else if (slash === "/") open.pop();
    else {
      const element: OpenElement = { name: name ?? "", children: [], text: "" };
      current.children.push(element);
      if (selfClosing !== "/") open.push(element);
    }
  }
  const [top] = root.children;
  if (top === undefined || open.length !== 1)
    throw new Error(`not the XML of an AWS API: ${source.slice(0, 200)}`);
  return top;
}

/** The elements at the end of `path`; every step takes all children of that name. */
export function elementsAt(element: XmlElement, ...path: readonly string[]): readonly XmlElement[] {
  return path.reduce<readonly XmlElement[]>(
    (elements, name) => elements.flatMap(({ children }) => children.filter((child) => child.name === name)),
    [element],
  );
}

/** The text of the first element at the end of `path`, or "" where there is none. */
export function textAt(element: XmlElement, ...path: readonly string[]): string {
  return elementsAt(element, ...path)[0]?.text ?? "";
}

function unescape(text: string): string {
  return text.replace(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole);
}
