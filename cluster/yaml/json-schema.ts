import * as z from "zod";
import { isMap, own } from "../raw.js";
import { specSchema } from "./schema.js";

type Json = z.core.JSONSchema.BaseSchema;

/** The JSON Schema of `cluster.yaml`, for editors: what is checked in as `cluster.schema.json`. */
export function specJsonSchema(): Json {
  return {
    ...z.toJSONSchema(specSchema, {
      io: "input",
      target: "draft-7",
      unrepresentable: "any",
      override: ({ zodSchema, jsonSchema }) => {
        if (zodSchema._zod.def.type === "tuple") asThree(jsonSchema);
      },
    }),
    title: "cluster.yaml of rollout",
  };
}

/** Three equal items as a list of exactly three, which editors explain better than a tuple. */
function asThree(schema: Json): void {
  const items = (schema.items ?? []) as Json[];
  schema.items = items[0] ?? {};
  schema.minItems = 3;
  schema.maxItems = 3;
  delete schema.additionalItems;
}

let cached: Json | undefined;

/** The keys that the schema allows in the map at a path of a document, for suggestions. */
export function knownKeys(path: readonly PropertyKey[], document: unknown): string[] {
  cached ??= specJsonSchema();
  let places: Place[] = [{ schema: cached, value: document }];
  for (const key of path) places = places.flatMap(options).flatMap((place) => step(place, key));
  const properties = places.flatMap(options).flatMap(({ schema }) => Object.entries(schema.properties ?? {}));
  return [...new Set(properties.filter(([, property]) => !isRefused(property)).map(([key]) => key))];
}

/** A part of the schema, and the value that it is about. */
interface Place {
  readonly schema: Json;
  readonly value: unknown;
}

function step({ schema, value }: Place, key: PropertyKey): Place[] {
  const name = String(key);
  const next =
    typeof key === "number" ? schema.items : (own(schema.properties, name) ?? schema.additionalProperties);
  return isSchema(next) ? [{ schema: next, value: own(value, name) }] : [];
}

/** The alternatives of a schema that the value's own `platform` or `type` leaves open; all where it leaves none. */
function options({ schema, value }: Place): Place[] {
  const all = [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].filter(isSchema);
  if (all.length === 0) return [{ schema, value }];
  const fits = (option: Json): boolean =>
    Object.entries(option.properties ?? {}).every(
      ([key, property]) =>
        !isSchema(property) || property.const === undefined || property.const === own(value, key),
    );
  const fitting = all.filter(fits);
  return (fitting.length > 0 ? fitting : all).map((option) => ({ schema: option, value }));
}

const isSchema = (value: unknown): value is Json => isMap(value);

/** A key that the schema names only to say why it is not allowed. */
const isRefused = (property: unknown): boolean => isSchema(property) && property.not !== undefined;
