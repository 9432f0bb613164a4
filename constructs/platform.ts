import type { Construct } from "constructs";
import type { PlatformName } from "../cluster/address.js";
import type { DeployedVolume } from "../cluster/deployed.js";
import type { LoadBalancer } from "../cluster/yaml/schema.js";
import type { GroupIndex } from "../cluster/three.js";
import type { HostProps } from "./host-group-props.js";
import type { Lifecycle, Protection } from "./lifecycle.js";

/** What every declared resource has. */
export interface Declaration extends Lifecycle {
  /** The Terraform name, which is the construct's id, too. */
  readonly name: string;
  /** Addresses that are created before it and destroyed after it. */
  readonly after?: readonly string[];
}

interface InGroup extends Declaration {
  readonly pool: string;
  readonly group: string;
  readonly index: GroupIndex;
}

export type HostDeclaration = InGroup & Omit<HostProps, "number">;
export type DataVolumeDeclaration = InGroup & Omit<DeployedVolume, "host">;

export interface AttachmentDeclaration extends Declaration {
  /** Addresses of the two that are attached to each other. */
  readonly host: string;
  readonly volume: string;
}

export interface TargetDeclaration extends Declaration {
  readonly host: string;
  readonly pool: string;
}

export interface HookDeclaration extends Declaration {
  /** The hook runs when one of these changes. Values may hold Terraform references. */
  readonly triggers: Readonly<Record<string, string>>;
  /** Shell commands for Terraform's local-exec. */
  readonly onCreate?: string | undefined;
  /** What the command on creation is given in its environment. Values may hold Terraform references. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly onDestroy?: string | undefined;
}

export interface SharedDeclaration {
  readonly protection: Protection;
  /** Whether a resource of it is to be declared. */
  readonly includes: (address: string) => boolean;
}

export interface LoadBalancerDeclaration extends SharedDeclaration {
  readonly pool: string;
  readonly settings: LoadBalancer;
}

/** Where a cluster lives: turns what this program knows of into the resources of one Terraform provider. */
export interface Platform {
  readonly name: PlatformName;
  /** A reference to the network address of a machine, by its host's address; absent where machines have none. */
  readonly networkAddress?: (host: string) => string;
  /** What all pools share, such as the network's rules. */
  shared(scope: Construct, declaration: SharedDeclaration): void;
  loadBalancer(scope: Construct, declaration: LoadBalancerDeclaration): void;
  host(scope: Construct, declaration: HostDeclaration): void;
  dataVolume(scope: Construct, declaration: DataVolumeDeclaration): void;
  attachment(scope: Construct, declaration: AttachmentDeclaration): void;
  target(scope: Construct, declaration: TargetDeclaration): void;
  /** Where the triggers of a hook stand in it: `triggers` or `triggers_replace`. */
  readonly triggersAt: string;
  hook(scope: Construct, declaration: HookDeclaration): void;
}
