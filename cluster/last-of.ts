/**
 * What a pattern finds last in the user data of a machine: ours is its last part, and a text of the user's own may say whatever it
 * likes before that.
 * @param pattern global, with one group
 */
export const lastOf = (text: string, pattern: RegExp): string | undefined =>
  [...text.matchAll(pattern)].at(-1)?.[1];
