export const WIDTH = 80;

/** Breaks a text between words. A word that is longer than a line stays whole. */
export function wrap(text: string, width = WIDTH): string[] {
  return text.split(" ").reduce<string[]>((lines, word) => {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) return [...lines, word];
    return [...lines.slice(0, -1), `${last} ${word}`];
  }, []);
}

/** A line and what does not fit into it, which stands two columns further in than the line itself. */
export function wrapLine(line: string): string[] {
  if (line.length <= WIDTH) return [line];
  const margin = /^ */.exec(line)?.[0] ?? "";
  const [first = "", ...rest] = wrap(line.trimStart(), WIDTH - margin.length - 2);
  return [`${margin}${first}`, ...rest.map((each) => `${margin}  ${each}`)];
}
