/** Controls, characters that turn the direction of text or have no width, and halves of characters. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** One line in which all can be seen: what a terminal obeys or a reader cannot see becomes its code, such as `\u{202e}`. */
export const visible = (text: string): string =>
  text.replace(UNSEEN, (found) => `\\u{${(found.codePointAt(0) ?? 0).toString(16)}}`);

/** The same for running text, whose line breaks and indents mean nothing. */
export const onOneLine = (text: string): string => visible(text.replace(/\s+/gu, " ").trim());
