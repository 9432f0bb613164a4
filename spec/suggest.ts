import leven from "leven";

/** The known word that was probably meant: one or two letters away, or continued from what was typed. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const typed = word.toLowerCase();
  const allowed = typed.length <= 3 ? 1 : 2;
  const distance = (name: string): number => leven(name.toLowerCase(), typed);
  return known
    .filter((name) => distance(name) <= allowed || (typed.length > 2 && name.toLowerCase().startsWith(typed)))
    .sort((a, b) => distance(a) - distance(b))[0];
}
