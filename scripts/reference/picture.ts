import { readFileSync } from "node:fs";

/** The page whose commands are run, and their output held, by the project's tests. */
const PAGE = "docs/how-to/2-roll-an-image.md";

/** Up to and with the history of the first group that is rolled. */
const LAST = "$ npx rollout history";

const [CHAR, LINE, PAD] = [7.8, 19, 18];

const STYLE = `
  :root { --back: #ffffff; --line: #d0d7de; --text: #1f2328; --faint: #59636e; --good: #116329; --wait: #7d4e00; --typed: #0550ae }
  @media (prefers-color-scheme: dark) {
    :root { --back: #0d1117; --line: #3d444d; --text: #e6edf3; --faint: #9198a1; --good: #3fb950; --wait: #d29922; --typed: #79c0ff }
  }
  rect { fill: var(--back); stroke: var(--line) }
  text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: var(--text); white-space: pre }
  .faint { fill: var(--faint) } .good { fill: var(--good) } .wait { fill: var(--wait) } .typed { fill: var(--typed); font-weight: 600 }
`;

/** A still picture of one group's roll, as a terminal shows it, light and dark: what the page shows of a real run. */
export function picture(): string {
  const lines = shown();
  const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * CHAR) + 2 * PAD;
  const height = lines.length * LINE + 2 * PAD;
  const rows = lines.map((line, at) => {
    const y = PAD + 14 + at * LINE;
    return `<text x="${String(PAD)}" y="${String(y)}" xml:space="preserve"${classOf(line)}>${marked(escaped(line))}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ${String(width)} ${String(height)}" width="${String(width)}" height="${String(height)}">`,
    "<title>One group is rolled</title>",
    "<desc>A terminal: an image is set, the group is rolled, and the history names both revisions.</desc>",
    `<style>${STYLE}</style>`,
    `<rect x="0.5" y="0.5" width="${String(width - 1)}" height="${String(height - 1)}" rx="8"/>`,
    ...rows,
    "</svg>\n",
  ].join("\n");
}

function shown(): string[] {
  const blocks = [...readFileSync(PAGE, "utf8").matchAll(/^```console\n(.*?)^```$/gms)];
  const lines = blocks.flatMap(([, text = ""]) => text.trimEnd().split("\n"));
  const last = lines.findIndex((line) => line.startsWith(LAST));
  const after = lines.findIndex((line, at) => at > last && line.startsWith("$ "));
  if (last < 0 || after < 0) throw new Error(`${PAGE} does not end a roll with ${LAST}`);
  return lines.slice(0, after).filter((line) => line !== "...");
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const classOf = (line: string): string =>
  line.startsWith("$ ") ? ' class="typed"' : line.startsWith("  +") ? ' class="faint"' : "";

/** State is a sign and a word, and never a colour alone. */
const marked = (text: string): string =>
  text
    .replace(/✔ \S+|\bdone\b|\bhealthy\b|\bok\b/g, (word) => `<tspan class="good">${word}</tspan>`)
    .replace(/◷ \S+|\bpending\b(?=[:])/g, (word) => `<tspan class="wait">${word}</tspan>`);
