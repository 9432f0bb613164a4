/** What a rule that goes beyond the shape of one value has found. */
export interface Finding {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** A part of a spec whose shape the schema has not vouched for. */
export type Raw = Readonly<Record<string, unknown>>;

export const asMap = (value: unknown): Raw =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Raw) : {};
export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
