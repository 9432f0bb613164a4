import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, TerraformResource, type TerraformStack } from "cdktf";
import { refusalOf } from "../../program/program.js";
import { readDeclared, wiringOf, type DeclaredResource } from "../../guard/declared.js";
import { foreseeChanges } from "../../guard/foresee.js";
import { judgeSynthesized } from "../../guard/judge.js";
import type { Proposal } from "../../guard/proposal.js";
import type { Verdict } from "../../guard/verdict.js";
import { groupAddress } from "../../cluster/address.js";
import type { Deployed, DeployedGroup } from "../../cluster/deployed.js";
import { loadSpec } from "../../cluster/yaml/load.js";
import type { Spec } from "../../cluster/yaml/schema.js";
import { addViews } from "../../stacks/add-views.js";
import { baselineOf } from "../../stacks/baseline.js";
import type { ViewStack } from "../../stacks/view-stack.js";

const EXAMPLE = readFileSync(new URL("../../cluster.example.yaml", import.meta.url));

/** The folder of the spec, from that of a stack. */
const SPEC_FOLDER = "../../..";

/** `cluster.example.yaml`. */
export const exampleSpec = (): Spec => loadSpec(EXAMPLE, "cluster.yaml");

/** The same on the local platform. */
export function localSpec(): Spec {
  const { name, backend, pools, rollout, protection } = exampleSpec();
  return { name, platform: "local", backend, pools, rollout, protection };
}

/** The example on the local platform, with simulated agents. */
export function agentsSpec(): Spec {
  const { name, backend, pools, rollout, protection } = exampleSpec();
  const local = { agents: "simulated", speed: 20 } as const;
  return { name, platform: "local", local, backend, pools, rollout, protection };
}

/** A small cluster on the local platform: one client pool, one host a group, nothing but machines. */
export function smallSpec(): Spec {
  const three = "images: [v1, v1, v1], instanceTypes: [small, small, small]";
  const text = `
name: demo
platform: local
backend: { type: local, path: terraform.demo.tfstate }
pools:
  consul-server: { ${three} }
  nomad-server: { ${three} }
  broker: { ${three} }
`;
  return loadSpec(new TextEncoder().encode(text), "cluster.yaml");
}

/** A small cluster on aws: one client pool, one host a group, with a data volume and a load balancer. */
export function smallAwsSpec(): Spec {
  return change(exampleSpec(), (spec) => {
    spec.pools = withoutPool(spec, "name-server");
    poolOf(spec, "broker").hosts = [1, 1, 1];
  });
}

/** The pools of a spec but one. */
export function withoutPool(spec: Spec, name: string): Spec["pools"] {
  return Object.fromEntries(Object.entries(spec.pools).filter(([pool]) => pool !== name)) as Spec["pools"];
}

/** A copy of a spec with an edit. */
export function change(spec: Spec, edit: (spec: Spec) => void): Spec {
  const copy = structuredClone(spec);
  edit(copy);
  return copy;
}

/** A client pool of a spec, to be edited. */
export function poolOf(spec: Spec, name: string): NonNullable<Spec["pools"][string]> {
  const pool = spec.pools[name];
  if (!pool) throw new Error(`no pool ${name}`);
  return pool;
}

/** What the state says once a spec has been rolled out completely; a machine's id is `i-` and its name. */
export function deployedAs(spec: Spec): Deployed {
  const { groups, addresses } = baselineOf(spec, "git:main");
  const servers = [...groups.values()]
    .filter(({ role }) => role === "consul-server")
    .flatMap(({ hosts }) => hosts.map(({ name }) => `i-${name}`))
    .join(",");
  const standing = [...groups.values()].map((group): DeployedGroup => {
    const hosts = group.hosts.map((host) => {
      const id = `i-${host.name}`;
      return { ...host, id, configConsul: { host: id, servers } };
    });
    return {
      ...group,
      hosts,
      volumes: group.volumes.map((volume) => ({ ...volume, zone: `zone-${String(group.index)}` })),
      revisions: group.revisions.map((revision) => ({ ...revision, number: 1, cause: "first" })),
      ready: { hosts: hosts.map(({ id }) => id).join(","), hash: hosts[0]?.hash ?? "", gate: "open" },
    };
  });
  return {
    origin: { kind: "state", where: "terraform.demo.tfstate", serial: 7, lineage: "demo" },
    cluster: spec.name,
    groups: new Map(standing.map((group) => [group.name, group])),
    addresses,
  };
}

/** An empty state. */
export const nothing = (): Deployed => ({
  origin: { kind: "state", where: "terraform.demo.tfstate", serial: 0, lineage: "" },
  groups: new Map(),
  addresses: new Set(),
});

export function groupIn(deployed: Deployed, name: string): DeployedGroup {
  const group = deployed.groups.get(name);
  if (!group) throw new Error(`no group ${name}`);
  return group;
}

/** What is deployed, with other values for one group. One that is given no revisions has not passed `ready` either. */
export function withGroup(deployed: Deployed, name: string, values: Partial<DeployedGroup>): Deployed {
  const { ready, ...group } = groupIn(deployed, name);
  const passed = ready && values.revisions?.length !== 0 ? { ready } : {};
  return { ...deployed, groups: new Map(deployed.groups).set(name, { ...group, ...passed, ...values }) };
}

/** What is deployed, without some addresses; each must have been there. */
export function withoutAddresses(deployed: Deployed, ...gone: readonly string[]): Deployed {
  const missing = gone.filter((address) => !deployed.addresses.has(address));
  if (missing.length > 0) throw new Error(`not deployed: ${missing.join(", ")}`);
  return {
    ...deployed,
    addresses: new Set([...deployed.addresses].filter((address) => !gone.includes(address))),
  };
}

/** A group whose roll was cut off once `leave` had run: `leave` and `ready` are gone, and its machines are told of nothing. */
export function cutAfterLeave(spec: Spec, deployed: Deployed, name: string): Deployed {
  const { ready, ...group } = groupIn(deployed, name);
  if (!ready) throw new Error(`${name} is in flight already`);
  const address = (kind: "leave" | "ready"): string => groupAddress(spec.platform, name, kind);
  const hosts = group.hosts.map(({ configConsul, ...host }) => {
    if (!configConsul) throw new Error(`${host.name} has no config_consul`);
    return host;
  });
  const told = [...deployed.addresses].filter((each) =>
    group.hosts.some((host) => each.endsWith(`.${host.name}-config-consul`)),
  );
  return {
    ...withoutAddresses(deployed, address("leave"), address("ready"), ...told),
    groups: new Map(deployed.groups).set(name, { ...group, hosts, leave: false }),
  };
}

/** What a test does to a view before it is synthesized, such as an escape hatch. */
export type Tamper = (view: ViewStack) => void;

/** A synthesized resource, by its address. */
export type Resources = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** Synthesizes views as `main.ts` does and answers what was written, by view. */
export function synthesize(
  spec: Spec,
  deployed: Deployed,
  views: readonly string[],
  tamper: Tamper = () => undefined,
  waiting: readonly string[] = [],
): ReadonlyMap<string, string> {
  const outdir = mkdtempSync(join(tmpdir(), "rollout-test-"));
  try {
    const app = new App({ outdir });
    addViewsTo(app, spec, deployed, views, waiting).forEach(tamper);
    app.synth();
    return new Map(
      views.map((view) => [view, readFileSync(join(outdir, spec.name, view, "cdk.tf.json"), "utf8")]),
    );
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** Adds views to an app as `main.ts` does. */
export function addViewsTo(
  app: App,
  spec: Spec,
  deployed: Deployed,
  views: readonly string[],
  waiting: readonly string[] = [],
): readonly ViewStack[] {
  return addViews(app, views, {
    spec,
    deployed,
    specFolder: SPEC_FOLDER,
    program: "../../../dist/bin/rollout.js",
    cause: "a1b2c3d roll broker-0",
    laterHosts: waiting,
  });
}

/**
 * The resources of one view, as they are written, and its named values as `local.NAME`.
 * @param waiting the hosts that wait for a later batch
 */
export function resourcesOf(
  spec: Spec,
  deployed: Deployed,
  view: string,
  tamper?: Tamper,
  waiting: readonly string[] = [],
): Resources {
  const text = synthesize(spec, deployed, [view], tamper, waiting).get(view) ?? "{}";
  const { resource, locals: local = {} } = JSON.parse(text) as {
    resource: Record<string, Record<string, Record<string, unknown>>>;
    locals?: Record<string, Record<string, unknown>>;
  };
  return new Map(
    Object.entries({ ...resource, local }).flatMap(([type, byName]) =>
      Object.entries(byName).map(([name, body]) => [`${type}.${name}`, body] as const),
    ),
  );
}

/** The history of a group as a view records it: with an open gate, where it is the variable's. */
export function revisionsOf(view: Resources, group: string, gate: "open" | "closed" = "open"): unknown {
  const { input } = view.get(`terraform_data.${group}-revision`) as { input: { revisions: unknown } };
  const chosen = view.get(`local.${group}-revision-by-gate`);
  if (!chosen) return input.revisions;
  return input.revisions === `\${local.${group}-revision-by-gate[var.rollout_gate]}`
    ? chosen[gate]
    : undefined;
}

/** What a refused synth says, as the command line prints it. That it is not refused is a failure of the test. */
export function refusal(
  spec: Spec,
  deployed: Deployed,
  view: string,
  tamper?: Tamper,
  waiting: readonly string[] = [],
): string {
  try {
    synthesize(spec, deployed, [view], tamper, waiting);
  } catch (error) {
    const said = refusalOf(error);
    if (said === undefined) throw error;
    return said;
  }
  throw new Error(`${view} was not refused`);
}

/** What the guard is to judge of a view, as its rules get it. */
export function proposalOf(spec: Spec, deployed: Deployed, view: string): Proposal {
  const declared = readDeclared(renderView(spec, deployed, view));
  return {
    ...contextOf(spec, deployed, view),
    declared,
    wiring: wiringOf(declared),
    changes: foreseeChanges(declared, deployed),
  };
}

/** What the guard says of a view. */
export function verdictOf(spec: Spec, deployed: Deployed, view: string): Verdict {
  return judgeSynthesized(contextOf(spec, deployed, view), renderView(spec, deployed, view));
}

const contextOf = (
  spec: Spec,
  deployed: Deployed,
  view: string,
): Omit<Proposal, "declared" | "changes" | "wiring"> => ({
  view,
  target: view === "cluster" ? undefined : view,
  spec,
  deployed,
  specFolder: SPEC_FOLDER,
});

/** One view as cdktf would write it, without a synth. */
function renderView(spec: Spec, deployed: Deployed, view: string): unknown {
  const outdir = mkdtempSync(join(tmpdir(), "rollout-test-"));
  try {
    const [stack] = addViewsTo(new App({ outdir }), spec, deployed, [view]);
    return stack?.toTerraform();
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** A proposal in which one resource is declared otherwise. */
export function declaring(proposal: Proposal, address: string, values: Partial<DeclaredResource>): Proposal {
  if (!proposal.declared.some((resource) => resource.address === address))
    throw new Error(`not declared: ${address}`);
  const declared = proposal.declared.map((resource) =>
    resource.address === address ? { ...resource, ...values } : resource,
  );
  return {
    ...proposal,
    declared,
    wiring: wiringOf(declared),
    changes: foreseeChanges(declared, proposal.deployed),
  };
}

/** The construct of a resource, for an escape hatch. */
export function resourceIn(stack: TerraformStack, address: string): TerraformResource {
  const found = stack.node
    .findAll()
    .find(
      (construct): construct is TerraformResource =>
        construct instanceof TerraformResource &&
        `${construct.terraformResourceType}.${construct.friendlyUniqueId}` === address,
    );
  if (!found) throw new Error(`${stack.node.id} declares no ${address}`);
  return found;
}
