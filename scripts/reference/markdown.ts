import { wrap } from "../../cli/output/wrap.js";

const WIDTH = 110;

export const para = (text: string): string => wrap(text, WIDTH).join("\n");

export const bullet = (text: string): string => `- ${wrap(text, WIDTH - 2).join("\n  ")}`;

/** Columns are as wide as their widest cell, as prettier has them. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => ""), ...rows];
  const widthOf = (column: number): number => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0));
  return lines
    .map((line, at) => line.map((cell, column) => cell.padEnd(widthOf(column), at === 1 ? "-" : " ")))
    .map((line) => `| ${line.join(" | ")} |`)
    .join("\n");
}

/** As GitHub names the anchor of a heading. */
export const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w -]/g, "")
    .replaceAll(" ", "-");
