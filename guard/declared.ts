import { parseAddress, parseGroupName, type Member } from "../cluster/address.js";
import type { OwnOfHost } from "../cluster/machine-settings.js";
import { declaredHash, memberValues, triggersOf as triggersIn } from "../cluster/members.js";
import { isExpression, namesIn, referencesIn, textsIn } from "./references.js";
import { nothingOf, type Provisioner, type Wiring } from "./wiring.js";

/** A resource as it was synthesized, escape hatches included. */
export interface DeclaredResource {
  readonly address: string;
  /** By the construct path that stands beside it. Absent for shared parts and resources of the user's own. */
  readonly group?: string;
  /** By its address, if that is one of a group's member. */
  readonly member?: Member;
  readonly path: string;
  readonly body: Body;
  readonly preventsDestroy: boolean;
  readonly ignoresChanges: boolean;
  /** What `replace_triggered_by` names. */
  readonly triggeredBy: readonly string[];
}

export type Body = Readonly<Record<string, unknown>>;

/** Reads what cdktf is going to write into `cdk.tf.json`. */
export const readDeclared = (stack: unknown): DeclaredResource[] => blocksIn(stack, "resource", "");

/** In Terraform's JSON there may be a list of maps wherever there is one. */
function blocksIn(stack: unknown, block: "resource" | "data", prefix: string): DeclaredResource[] {
  return entriesOf(asBody(stack)[block]).flatMap(([type, byName]) =>
    entriesOf(byName).flatMap(([name, bodies]) =>
      blocksOf(bodies).map((body) => read(`${prefix}${type}.${name}`, asBody(body))),
    ),
  );
}

function read(address: string, body: Body): DeclaredResource {
  const lifecycle = lifecycleIn(body);
  const path = bodyAt(bodyAt(body, "//"), "metadata")["path"];
  const group = typeof path === "string" ? groupOf(path) : undefined;
  const member = parseAddress(address);
  return {
    address,
    ...(group === undefined ? {} : { group }),
    ...(member ? { member } : {}),
    path: typeof path === "string" ? path : "an override of the stack",
    body,
    preventsDestroy: lifecycle["prevent_destroy"] === true,
    ignoresChanges: lifecycle["ignore_changes"] === "all",
    triggeredBy: stringsOf(lifecycle["replace_triggered_by"]),
  };
}

/** `broker-0/pools/broker/broker-0/…` is view, pools, pool, group and what is below. */
function groupOf(path: string): string | undefined {
  const [, pools, pool, group = ""] = path.split("/");
  return pools === "pools" && parseGroupName(group)?.pool === pool ? group : undefined;
}

/** What makes a host what it is, whatever the platform. */
export interface DeclaredHost {
  readonly image: string;
  readonly instanceType: string;
  readonly hash: string;
  readonly subnetId?: string;
}

export function hostOf({ address, body }: DeclaredResource): DeclaredHost {
  const host = memberValues("host", address, body);
  return {
    image: String(host.image),
    instanceType: String(host.instanceType),
    hash: declaredHash(address, body),
    ...("subnetId" in host ? { subnetId: String(host.subnetId) } : {}),
  };
}

/** What a group may have of its own in a host, as Terraform is going to read it. */
export function ownOfHost({ address, body }: DeclaredResource): OwnOfHost {
  const { instanceProfile, securityGroupIds, tags, userData } = memberValues("host", address, body);
  return {
    instanceProfile: typeof instanceProfile === "string" ? instanceProfile : undefined,
    securityGroupIds: stringsOf(securityGroupIds),
    tags: asBody(tags),
    userData: typeof userData === "string" ? userData.replace(/([$%])\1\{/g, "$1{") : undefined,
  };
}

export interface DeclaredVolume {
  readonly sizeGib: number;
  readonly type: string;
  /** Absent where Terraform leaves it as it is. */
  readonly iops?: number | undefined;
  readonly throughput?: number | undefined;
}

export function volumeOf({ address, body }: DeclaredResource): DeclaredVolume {
  const { sizeGib, type, iops, throughput } = memberValues("data", address, body);
  const numberOf = (value: unknown): number | undefined => (value === undefined ? undefined : Number(value));
  return {
    ...{ sizeGib: Number(sizeGib), type: String(type) },
    ...{ iops: numberOf(iops), throughput: numberOf(throughput) },
  };
}

/** The triggers of a hook, whatever the platform. */
export const triggersOf = ({ address, body }: DeclaredResource): Body => asBody(triggersIn(address, body));

/** Whether Terraform is told not to mind what differs, wholly or in part. */
export function ignoresAnything({ ignoresChanges, body }: DeclaredResource): boolean {
  return ignoresChanges || listOf(lifecycleIn(body)["ignore_changes"]).length > 0;
}

/** What Terraform asks before it, as texts. */
export const preconditionsOf = ({ body }: DeclaredResource): string[] =>
  blocksOf(lifecycleIn(body)["precondition"]).map((each) => String(asBody(each)["condition"]));

/** Whether its successor comes first, which takes the destroy hooks from it and from all that it depends on. */
export function isSucceededFirst({ body }: DeclaredResource): boolean {
  const value = lifecycleIn(body)["create_before_destroy"];
  return value !== undefined && value !== false;
}

/** Whether it stands for any number of objects, which have other addresses than its own. */
export function isMultiplied({ body }: DeclaredResource): boolean {
  return body["count"] !== undefined || body["for_each"] !== undefined;
}

/** What each block runs, waits for and names, those of data sources and providers included. */
export function wiringOf(declared: readonly DeclaredResource[], stack: unknown = {}): Wiring[] {
  const locals = new Map(entriesOf(asBody(stack)["locals"]));
  const blocks = [...declared, ...blocksIn(stack, "data", "data.")].map(
    ({ address, member, body }): Wiring => {
      const { depends_on: after, provider, ...values } = body;
      const own = Object.keys(lifecycleIn(body)).filter((key) => !LIFECYCLE.has(key));
      return {
        address,
        ...(member ? { member } : {}),
        provisioners: blocksOf(body["provisioner"]).map(provisionerOf),
        after: stringsOf(after),
        references: withLocals(namedBy(values), locals),
        ...(provider === undefined ? {} : { provider: textsIn(provider).join() }),
        acts: [...Object.keys(body).filter((key) => key === "connection"), ...own],
        body: values,
      };
    },
  );
  return [...blocks, ...providersIn(stack, locals)];
}

function namedBy({ lifecycle, ...values }: Body): string[] {
  const life = [
    ...blocksOf(lifecycle).flatMap((each) => stringsOf(asBody(each)["replace_triggered_by"])),
    ...textsIn(lifecycle).filter(isExpression),
  ];
  return [
    ...textsIn(values).flatMap(referencesIn),
    ...life.flatMap(namesIn).filter((name) => !name.startsWith("self.")),
  ];
}

/** What a named value stands for is named with it. */
function withLocals(references: readonly string[], locals: ReadonlyMap<string, unknown>): string[] {
  const found = new Set<string>();
  const add = (reference: string): void => {
    if (found.has(reference)) return;
    found.add(reference);
    const [kind, name = ""] = reference.split(".");
    if (kind === "local") textsIn(locals.get(name)).flatMap(referencesIn).forEach(add);
  };
  references.forEach(add);
  return [...found];
}

function providersIn(stack: unknown, locals: ReadonlyMap<string, unknown>): Wiring[] {
  const sources = bodyAt(bodyAt(stack, "terraform"), "required_providers");
  const configured = entriesOf(asBody(stack)["provider"]).flatMap(([name, bodies]) =>
    blocksOf(bodies).map((body) => [name, asBody(body)] as const),
  );
  const others = Object.keys(sources).filter((name) => !configured.some(([each]) => each === name));
  return [...configured, ...others.map((name) => [name, {}] as const)].map(([name, body]) => {
    const { alias, ...settings }: Body = body;
    const source = bodyAt(sources, name)["source"];
    return {
      ...nothingOf(typeof alias === "string" ? `provider.${name}.${alias}` : `provider.${name}`),
      references: withLocals(namedBy(settings), locals),
      ...(typeof source === "string" ? { provider: source } : {}),
      body: settings,
    };
  });
}

/** What the life of a resource may be told; what else there is, such as `action_trigger`, is not known to do no harm. */
const LIFECYCLE: ReadonlySet<string> = new Set([
  "create_before_destroy",
  "prevent_destroy",
  "ignore_changes",
  "replace_triggered_by",
  "precondition",
  "postcondition",
]);

function provisionerOf(provisioner: unknown): Provisioner {
  const { "local-exec": localExec, ...types } = asBody(provisioner);
  const { command, when, environment, ...others } = asBody(localExec);
  return {
    command: typeof command === "string" ? command : "nothing",
    when: when === "destroy" ? "destroy" : "create",
    environment: asBody(environment),
    others: [...Object.keys(types), ...Object.keys(others)].sort(),
  };
}

const asBody = (value: unknown): Body => (typeof value === "object" && value !== null ? (value as Body) : {});
const bodyAt = (value: unknown, key: string): Body => asBody(asBody(value)[key]);
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
/** In Terraform's JSON a block is an object, or a list of such. */
const blocksOf = (value: unknown): unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value];
const entriesOf = (value: unknown): [string, unknown][] =>
  blocksOf(value).flatMap((each) => Object.entries(asBody(each)));
const lifecycleIn = (body: Body): Body =>
  Object.assign({}, ...blocksOf(body["lifecycle"]).map(asBody)) as Body;
const stringsOf = (value: unknown): string[] => listOf(value).filter((each) => typeof each === "string");
