import * as z from "zod";
import { REPLACES, specSchema } from "../../cluster/yaml/schema.js";

/** A key of `cluster.yaml`, as a reader of the reference looks it up. */
export interface SpecKey {
  /** From the top: `pools.NAME.dataVolumes[].sizeGib`. */
  readonly path: string;
  /** Empty where the schema has none. */
  readonly description: string;
  /** What may stand there. */
  readonly value: string;
  readonly isRequired: boolean;
  /** What counts without the key, in the description's words. */
  readonly defaultText?: string;
  /** What the schema itself fills in, unless that is a list or a map. */
  readonly filledIn?: string;
  /** Where the key is allowed, unless everywhere. */
  readonly only?: string;
  readonly replacesMachines: boolean;
}

/** Every key of the schema, in its order. The halves of a union are told as one map. */
export const specKeys = (): SpecKey[] => below(mapsIn(specSchema), "", false);

/** One of the maps that may stand at a place, and what tells it from the others. */
interface Alternative {
  readonly map: z.ZodObject;
  readonly when?: string;
}

function below(maps: readonly Alternative[], path: string, replaces: boolean): SpecKey[] {
  const names = new Set(maps.flatMap(({ map }) => Object.keys(map.shape)));
  const keys = [...names].flatMap((name) =>
    keyOf(maps, path === "" ? name : `${path}.${name}`, name, replaces),
  );
  return [...keys, ...maps.flatMap(({ map }) => poolKeys(map, path))];
}

function keyOf(maps: readonly Alternative[], path: string, name: string, above: boolean): SpecKey[] {
  const found = maps.flatMap(({ map, when }) => {
    const schema: unknown = map.shape[name];
    return schema instanceof z.ZodType ? [{ schema, when, refusal: refusalOf(schema) }] : [];
  });
  const allowed = found.filter(({ refusal }) => refusal === undefined);
  const only = [
    allowed.flatMap(({ when }) => when ?? []).join(", "),
    ...found.flatMap(({ refusal }) => refusal ?? []),
  ];
  return keysAt(
    path,
    allowed.map(({ schema }) => schema),
    above,
    allowed.length === maps.length ? undefined : only.filter((each) => each !== "").join(": "),
  );
}

/** A key and all below it. Keys of one name in several maps differ in nothing but a literal. */
function keysAt(path: string, schemas: readonly z.ZodType[], above: boolean, only?: string): SpecKey[] {
  const [schema] = schemas;
  if (!schema) return [];
  const { inner, isRequired, filledIn, description } = unwrapped(schema);
  const { text, defaultText, replaces } = parts(description);
  const replacesMachines = above || replaces;
  const item = itemOf(inner);
  const isServerPool = /^pools\.[a-z]/.test(path);
  return [
    {
      path,
      description: text,
      value: valueOf(schemas.map((each) => unwrapped(each).inner)),
      isRequired,
      replacesMachines,
      ...(defaultText === undefined ? {} : { defaultText }),
      ...(filledIn === undefined ? {} : { filledIn }),
      ...(only === undefined ? {} : { only }),
    },
    ...(isServerPool ? [] : below(mapsIn(item ?? inner), item ? `${path}[]` : path, replacesMachines)),
  ];
}

/** The keys of a pool stand once, below `pools.NAME`, for pools of servers and of clients. */
function poolKeys(map: z.ZodObject, path: string): SpecKey[] {
  const clients = map.def.catchall;
  if (!(clients instanceof z.ZodObject)) return [];
  const servers = Object.values(map.shape).find((pool) => pool instanceof z.ZodObject);
  const name = `${path}.NAME`;
  const both = [
    { map: clients, when: "in client pools" },
    ...(servers ? [{ map: servers, when: "in server pools" }] : []),
  ];
  const [own] = keysAt(name, [clients], false);
  return [...(own ? [{ ...own, isRequired: false }] : []), ...below(both, name, false)];
}

function mapsIn(schema: z.ZodType): Alternative[] {
  if (schema instanceof z.ZodObject) return [{ map: schema }];
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return [];
  const { discriminator } = schema.def;
  return schema.options.flatMap((map) => {
    if (!(map instanceof z.ZodObject)) return [];
    const literal: unknown = map.shape[discriminator];
    return literal instanceof z.ZodLiteral
      ? [{ map, when: `with \`${discriminator}: ${String(literal.value)}\`` }]
      : [];
  });
}

function itemOf(schema: z.ZodType): z.ZodType | undefined {
  const item: unknown =
    schema instanceof z.ZodTuple
      ? schema.def.items[0]
      : schema instanceof z.ZodArray
        ? schema.element
        : undefined;
  return item instanceof z.ZodType ? item : undefined;
}

interface Unwrapped {
  readonly inner: z.ZodType;
  readonly isRequired: boolean;
  readonly filledIn: string | undefined;
  readonly description: string;
}

function unwrapped(schema: z.ZodType): Unwrapped {
  const description = schema.description;
  if (!(schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault))
    return { inner: schema, isRequired: true, filledIn: undefined, description: description ?? "" };
  const inner: unknown = schema.unwrap();
  if (!(inner instanceof z.ZodType)) throw new Error("a key of the schema is no type of zod's");
  const below = unwrapped(inner);
  return {
    inner: below.inner,
    isRequired: false,
    filledIn: schema instanceof z.ZodDefault ? scalar(schema.def.defaultValue) : below.filledIn,
    description: description ?? below.description,
  };
}

const scalar = (value: unknown): string | undefined =>
  ["string", "number", "boolean"].includes(typeof value) ? String(value) : undefined;

/** Why a map has no such key, where the schema names it for this alone; empty where the other maps say it all. */
function refusalOf(schema: z.ZodType): string | undefined {
  const { inner, description } = unwrapped(schema);
  return inner instanceof z.ZodNever
    ? description.replace(/^Not allowed: (it is for [^;]+(; )?)?|\.$/g, "")
    : undefined;
}

/** What may stand there: of maps and choices their form, of all else the words of the schema's own refusal. */
function valueOf(schemas: readonly z.ZodType[]): string {
  const [schema] = schemas;
  const literals = schemas.flatMap((each) => (each instanceof z.ZodLiteral ? [String(each.value)] : []));
  if (literals.length > 0) return choice(literals);
  if (schema instanceof z.ZodEnum) return choice(schema.options.map(String));
  if (schema instanceof z.ZodBoolean) return choice(["true", "false"]);
  if (schema instanceof z.ZodObject || schema instanceof z.ZodDiscriminatedUnion) return "a map";
  const item = schema && itemOf(schema);
  if (schema instanceof z.ZodTuple && item)
    return `a list of three, one for each group; each ${valueOf([item])}`;
  return schema?.safeParse(undefined).error?.issues[0]?.message ?? "";
}

const choice = (values: readonly string[]): string => {
  const shown = values.map((value) => `\`${value}\``);
  return [shown.slice(0, -1).join(", "), ...shown.slice(-1)].filter((each) => each !== "").join(" or ");
};

/** A description ends with what a change does and with the default. */
function parts(description: string): { text: string; defaultText?: string; replaces: boolean } {
  const [before = "", defaultText] = description.split(/(?:^|\s)Default: /);
  const replaces = before.includes(REPLACES);
  return {
    text: before.replace(REPLACES, "").trim(),
    replaces,
    ...(defaultText === undefined ? {} : { defaultText: defaultText.replace(/\.$/, "") }),
  };
}
