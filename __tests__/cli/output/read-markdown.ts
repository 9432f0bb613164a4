import type { ParserOptions } from "prettier";
import { parsers } from "prettier/plugins/markdown";
import * as z from "zod";

/** What a text is made of as a parser of Markdown reads it, which is none of ours. */
export interface MarkdownNode {
  readonly type: string;
  readonly value?: string | null | undefined;
  readonly url?: string | null | undefined;
  readonly lang?: string | null | undefined;
  readonly children?: readonly MarkdownNode[] | undefined;
}

const node: z.ZodType<MarkdownNode> = z.lazy(() =>
  z.object({
    type: z.string(),
    value: z.string().nullish(),
    url: z.string().nullish(),
    lang: z.string().nullish(),
    children: z.array(node).optional(),
  }),
);

export async function readMarkdown(text: string): Promise<MarkdownNode> {
  return node.parse(await parsers.markdown.parse(text, { originalText: text } as ParserOptions));
}

/** Every node, parents first. */
export const allNodes = (root: MarkdownNode): MarkdownNode[] => [
  root,
  ...(root.children ?? []).flatMap((child) => allNodes(child)),
];

/** The text that a reader sees, code included, tags left out. */
export const textOf = (root: MarkdownNode): string =>
  allNodes(root)
    .filter(({ type }) => type === "text" || type === "inlineCode")
    .map(({ value }) => value ?? "")
    .join("");

/** What a platform makes links and mentions of: text that is no code. */
export function textOutsideCode(root: MarkdownNode): string {
  let depth = 0;
  const seen = allNodes(root).map(({ type, value }) => {
    if (type === "html" && value === "<code>") depth++;
    if (type === "html" && value === "</code>") depth--;
    return type === "text" && depth === 0 ? (value ?? "") : "";
  });
  return seen.join(" ");
}
