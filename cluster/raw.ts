/** A map whose shape nobody has vouched for: of parsed YAML or JSON. */
export type Raw = Readonly<Record<string, unknown>>;

export const isMap = (value: unknown): value is Raw =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An empty one where it is none. */
export const asMap = (value: unknown): Raw => (isMap(value) ? value : {});

/** An empty one where it is none. */
export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A value of a map or a list, if it is one and has it itself. */
export const own = (value: unknown, key: PropertyKey): unknown =>
  typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<PropertyKey, unknown>>)[key]
    : undefined;

export const valueAt = (root: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((value, key) => own(value, key), root);
