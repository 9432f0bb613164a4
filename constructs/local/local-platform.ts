import type { Construct } from "constructs";
import { localExec } from "../local-exec.js";
import { idOf } from "../named.js";
import type {
  AttachmentDeclaration,
  DataVolumeDeclaration,
  HookDeclaration,
  HostDeclaration,
  LoadBalancerDeclaration,
  Platform,
  TargetDeclaration,
} from "../platform.js";
import { TerraformData } from "../terraform-data.js";

/** A cluster of nothing but Terraform's built-in `terraform_data`: the same graph and order as elsewhere, no provider. */
export class LocalPlatform implements Platform {
  readonly name = "local";
  readonly triggersAt = "triggers_replace";

  constructor(private readonly cluster: string) {}

  shared(): void {
    // Nothing is shared but the load balancers, which belong to their pools.
  }

  loadBalancer(scope: Construct, { pool, settings, protection, includes }: LoadBalancerDeclaration): void {
    const name = `${pool}-load-balancer`;
    if (!includes(`terraform_data.${name}`)) return;
    new TerraformData(scope, { name, protection, input: { cluster: this.cluster, port: settings.port } });
  }

  host(scope: Construct, host: HostDeclaration): void {
    new TerraformData(scope, {
      ...host,
      input: { cluster: this.cluster, image: host.image, instanceType: host.instanceType },
      triggersReplace: host.hash,
    });
  }

  dataVolume(scope: Construct, volume: DataVolumeDeclaration): void {
    const { sizeGib, type, iops, throughput } = volume;
    const performance = {
      ...(iops === undefined ? {} : { iops }),
      ...(throughput === undefined ? {} : { throughput }),
    };
    new TerraformData(scope, { ...volume, input: { sizeGib, type, ...performance } });
  }

  attachment(scope: Construct, attachment: AttachmentDeclaration): void {
    new TerraformData(scope, {
      ...attachment,
      triggersReplace: { host: idOf(attachment.host), volume: idOf(attachment.volume) },
    });
  }

  target(scope: Construct, target: TargetDeclaration): void {
    const balancer = `terraform_data.${target.pool}-load-balancer`;
    new TerraformData(scope, {
      ...target,
      triggersReplace: { host: idOf(target.host), loadBalancer: idOf(balancer) },
    });
  }

  hook(scope: Construct, hook: HookDeclaration): void {
    new TerraformData(scope, { ...hook, triggersReplace: hook.triggers, provisioners: localExec(hook) });
  }
}
