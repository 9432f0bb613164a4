import { memberType, PLATFORMS, type MemberKind, type PlatformName } from "./address.js";
import { isMap, valueAt, type Raw } from "./raw.js";
import { lastOf } from "./last-of.js";

type Path = readonly string[];

/** Values that stand under their own names in an attribute. */
const under = <Name extends string>(attribute: string, ...names: Name[]): Readonly<Record<Name, Path>> =>
  Object.fromEntries(names.map((name): [Name, Path] => [name, [attribute, name]])) as Record<Name, Path>;

/** Of Terraform's own resources, which differ by where their triggers stand. */
const recordedBy = (triggers: string) => ({
  "start-agents": under("triggers_replace", "attempt"),
  "config-consul": under(triggers, "host", "servers", "attempt", "consul"),
  leave: under(triggers, "hash", "hosts", "waiting", "attempt"),
  ready: under(triggers, "hosts", "hash", "gate", "attempt"),
  revision: under("input", "revisions", "completed"),
});

/** What this program writes into members of groups and reads again, by kind: where it stands on aws. */
const ON_AWS = {
  host: {
    id: ["id"],
    image: ["ami"],
    instanceType: ["instance_type"],
    hash: ["tags", "rollout:template-hash"],
    subnetId: ["subnet_id"],
    keyName: ["key_name"],
    instanceProfile: ["iam_instance_profile"],
    securityGroupIds: ["vpc_security_group_ids"],
    userData: ["user_data"],
    tags: ["tags"],
  },
  data: {
    id: ["id"],
    sizeGib: ["size"],
    type: ["type"],
    iops: ["iops"],
    throughput: ["throughput"],
    zone: ["availability_zone"],
  },
  "data-attachment": { host: ["instance_id"], data: ["volume_id"] },
  ...recordedBy("triggers"),
};

type Places = typeof ON_AWS;

/** The kinds of members that are read. */
export type ReadKind = keyof Places;

/** A new platform is a column here, beside its folder in `constructs/`. What a platform does not have has no place. */
const PLACES: Readonly<
  Record<PlatformName, { readonly [K in ReadKind]: Partial<Record<keyof Places[K], Path>> }>
> = {
  aws: ON_AWS,
  local: {
    host: { id: ["id"], ...under("input", "image", "instanceType"), hash: ["triggers_replace"] },
    data: { id: ["id"], ...under("input", "sizeGib", "type", "iops", "throughput") },
    "data-attachment": { host: ["triggers_replace", "host"], data: ["triggers_replace", "volume"] },
    ...recordedBy("triggers_replace"),
  },
};

/** The platform that gives members of a kind the type that an address has. */
const platformOf = (kind: MemberKind, address: string): PlatformName =>
  PLATFORMS.find((platform) => address.startsWith(`${memberType(platform, kind)}.`)) ?? "local";

/**
 * What a member of a group says, be it synthesized, planned or in a state (see {@link attributesInState}): of any type,
 * since an override, a plan and a state may hold anything. Undefined is what is not there, or is unknown as yet.
 */
export function memberValues<K extends ReadKind>(
  kind: K,
  address: string,
  values: unknown,
): Readonly<Record<keyof Places[K], unknown>> {
  const places = placesOf(kind, address);
  const found = Object.entries(places).map(([name, path]) => [name, valueAt(values, path)] as const);
  return Object.fromEntries(found) as Record<keyof Places[K], unknown>;
}

const placesOf = (kind: ReadKind, address: string): Readonly<Record<string, Path>> =>
  PLACES[platformOf(kind, address)][kind];

/**
 * The attribute of a resource that a value of {@link memberValues} was looked for in, as far as the resource has it:
 * `tags` where there are no tags at all, else `tags`, `rollout:template-hash`.
 */
export function attributePath(
  kind: ReadKind,
  address: string,
  values: unknown,
  [name = "", ...below]: readonly PropertyKey[],
): PropertyKey[] {
  const path = placesOf(kind, address)[String(name)] ?? [];
  const outer = path.slice(0, -1);
  const gap = outer.findIndex((_, depth) => !isMap(valueAt(values, outer.slice(0, depth + 1))));
  return gap === -1 ? [...path, ...below] : outer.slice(0, gap + 1);
}

/** The triggers of a hook, by its type: it is a resource of Terraform's own on any platform. */
export const triggersOf = (address: string, values: unknown): unknown =>
  valueAt(values, [address.startsWith("terraform_data.") ? "triggers_replace" : "triggers"]);

/** What replaces a declared machine once it changes: on aws that is its user data, and not the tag that repeats it. */
const DECLARED_HASH: Readonly<Record<PlatformName, (body: Raw) => string>> = {
  aws: ({ user_data: data, user_data_replace_on_change: replaces }) =>
    (replaces === true ? lastOf(String(data), /^# rollout-template-hash: (\S+)$/gm) : undefined) ?? "none",
  local: ({ triggers_replace: hash }) => String(hash),
};

/** The template hash of a machine as it is synthesized. */
export const declaredHash = (address: string, body: Raw): string =>
  DECLARED_HASH[platformOf("host", address)](body);

/** The cluster that a resource says it belongs to: by its tag, or by its input where there are no tags. */
export function clusterOf(values: unknown): string | undefined {
  const name = valueAt(values, ["tags", "rollout:cluster"]) ?? valueAt(values, ["input", "cluster"]);
  return typeof name === "string" ? name : undefined;
}

/**
 * The attributes of a resource in a state, in the shape that they have in a plan: there those of a `terraform_data`, which
 * may be of any type, stand beside their type.
 */
export function attributesInState(type: string, attributes: Raw): Raw {
  if (type !== "terraform_data") return attributes;
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]) => [
      name,
      isMap(attribute) && Object.hasOwn(attribute, "value") && Object.hasOwn(attribute, "type")
        ? attribute["value"]
        : attribute,
    ]),
  );
}
