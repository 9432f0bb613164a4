/**
 * Joins the words of a command for a remote shell. ssh joins them by blanks and gives the text to the user's shell, so every
 * word is quoted, also one that seems to need none.
 * @throws Error for a word with a NUL byte, which no command line can hold
 */
export function shellWords(words: readonly string[]): string {
  return words.map(quote).join(" ");
}

/** In single quotes a POSIX shell reads everything as it stands, but for the single quote itself. */
function quote(word: string): string {
  if (word.includes("\0")) throw new Error("a word of a command line cannot hold a NUL byte");
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
