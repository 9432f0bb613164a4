/** The first line of a message; where that only announces a list, with the first entry. */
export function headline(message: string | undefined): string | undefined {
  const [first, second] = message?.split("\n", 2) ?? [];
  return first?.endsWith(":") === true && second !== undefined ? `${first} ${second.trim()}` : first;
}
