/** Between the names of a traversal Terraform allows white space and comments. */
const GAP = String.raw`(?:\s|/\*[^*]*\*+(?:[^/*][^*]*\*+)*/|(?:#|//)[^\n]*\n)*`;
/** It begins where no other name goes on: a name may have hyphens, and a number before a hyphen is no name. */
const NAMED = new RegExp(
  String.raw`(?<![\w.]|(?<![\w-])[A-Za-z_][\w-]*)(?=([A-Za-z_][\w-]*(?:${GAP}\.${GAP}[A-Za-z_][\w-]*)+))`,
  "g",
);
const GAPS = new RegExp(GAP, "g");
const NAME = String.raw`[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*`;
const PLAIN = new RegExp(String.raw`\$\{(${NAME})(?:\[(${NAME})\])?\}`, "g");
const ESCAPED = /\$\$\{|%%\{/g;
const BEGIN = /[$%]\{/;

/** Whether Terraform evaluates a text. */
export const isExpression = (text: string): boolean => BEGIN.test(text.replace(ESCAPED, ""));

/**
 * What a text of a stack names, such as `aws_instance.broker-0-0.id`: too much rather than too little, since who reads it
 * refuses. An expression that does more than name something stands among it as it is.
 */
export function referencesIn(text: string): string[] {
  const bare = text.replace(ESCAPED, " ");
  const plain = [...bare.matchAll(PLAIN)].flatMap(([, name = "", key]) => [name, ...(key ? [key] : [])]);
  const rest = bare.replace(PLAIN, " ");
  return BEGIN.test(rest) ? [...plain, text, ...namesIn(rest)] : plain;
}

/** The same of a text that is an expression as a whole, such as an entry of `depends_on`. */
export const namesIn = (text: string): string[] =>
  [...text.matchAll(NAMED)].map(([, name = ""]) => name.replace(GAPS, ""));

/** Every text in a value, at any depth. */
export function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** `aws_instance.broker-0-0` of `aws_instance.broker-0-0[0].id`, `data.aws_subnet.a` of `data.aws_subnet.a.id`. */
export function addressIn(reference: string): string {
  const parts = reference.replace(/\[.*$/s, "").split(".");
  return parts.slice(0, parts[0] === "data" ? 3 : 2).join(".");
}
