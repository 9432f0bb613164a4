import leven from "leven";

/** The known word that was probably meant: one or two letters away, two of them swapped, or continued from what was typed. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const typed = word.toLowerCase();
  const allowed = typed.length <= 3 ? 1 : 2;
  const distance = (name: string): number =>
    isSwapped(name.toLowerCase(), typed) ? 1 : leven(name.toLowerCase(), typed);
  return known
    .filter((name) => distance(name) <= allowed || (typed.length > 2 && name.toLowerCase().startsWith(typed)))
    .sort((a, b) => distance(a) - distance(b))[0];
}

/** ` did you mean broker?`; nothing where there is no guess. */
export const question = (meant: string | undefined): string =>
  meant === undefined ? "" : ` did you mean ${meant}?`;

/** Whether two neighbouring letters stand the other way round: `wbe` for `web`. */
function isSwapped(name: string, typed: string): boolean {
  const at = Array.from(name).findIndex((letter, place) => letter !== typed[place]);
  const swapped = `${name.slice(0, at)}${name[at + 1] ?? ""}${name[at] ?? ""}${name.slice(at + 2)}`;
  return at >= 0 && swapped === typed;
}
