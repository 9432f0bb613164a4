import { AwsProvider } from "@cdktf/provider-aws/lib/provider/index.js";
import { DataAwsSubnet } from "@cdktf/provider-aws/lib/data-aws-subnet/index.js";
import { EbsVolume } from "@cdktf/provider-aws/lib/ebs-volume/index.js";
import { Instance } from "@cdktf/provider-aws/lib/instance/index.js";
import { LbTargetGroupAttachment } from "@cdktf/provider-aws/lib/lb-target-group-attachment/index.js";
import { VolumeAttachment } from "@cdktf/provider-aws/lib/volume-attachment/index.js";
import { NullProvider } from "@cdktf/provider-null/lib/provider/index.js";
import { Resource as NullResource } from "@cdktf/provider-null/lib/resource/index.js";
import type { TerraformResource, TerraformStack } from "cdktf";
import { Construct } from "constructs";
import type { AwsSettings } from "../../cluster/yaml/schema.js";
import { furtherGroups, roleOf } from "../../cluster/groups.js";
import { GROUP_INDEXES } from "../../cluster/three.js";
import { toldServers, userData } from "../../cluster/user-data.js";
import { lifecycleOf } from "../lifecycle.js";
import { localExec } from "../local-exec.js";
import { networkAddressOn } from "../../cluster/hooks/hook-words.js";
import { idOf, named, waitFor } from "../named.js";
import { literal } from "../revision-record.js";
import type {
  AttachmentDeclaration,
  DataVolumeDeclaration,
  Declaration,
  HookDeclaration,
  HostDeclaration,
  LoadBalancerDeclaration,
  Platform,
  SharedDeclaration,
  TargetDeclaration,
} from "../platform.js";
import { NetworkLoadBalancer } from "./network-load-balancer.js";
import { ClusterSecurityGroup } from "./cluster-security-group.js";

/**
 * Machines on EC2: IMDSv2 only, encrypted disks, data volumes that outlive the machine. What a machine is called and
 * which resources it has is the same on every platform; only the types differ.
 */
export class AwsPlatform implements Platform {
  readonly name = "aws";
  readonly triggersAt = "triggers";

  /** Declares the providers and looks up the zones of the three subnets. */
  constructor(
    stack: TerraformStack,
    private readonly cluster: string,
    private readonly settings: AwsSettings,
    /** How many servers a server pool has. */
    private readonly serversIn: (pool: string) => number,
    /** The texts of user data of the user's own, by file. */
    private readonly texts: Readonly<Record<string, string>> = {},
  ) {
    new AwsProvider(stack, "aws", { region: settings.region });
    new NullProvider(stack, "null");
    if (settings.providerVersion !== undefined) {
      stack.addOverride("terraform.required_providers.aws.version", settings.providerVersion);
    }
    const zones = new Construct(stack, "zones");
    for (const index of GROUP_INDEXES) {
      const subnet = new DataAwsSubnet(zones, `subnet-${String(index)}`, { id: settings.subnetIds[index] });
      named(subnet, `subnet-${String(index)}`);
    }
  }

  shared(scope: Construct, declaration: SharedDeclaration): void {
    const { vpcId } = this.settings;
    new ClusterSecurityGroup(scope, "security-group", { ...declaration, cluster: this.cluster, vpcId });
  }

  networkAddress = networkAddressOn.aws;

  loadBalancer(scope: Construct, declaration: LoadBalancerDeclaration): void {
    const { cluster, settings: aws } = this;
    new NetworkLoadBalancer(scope, "load-balancer", { ...aws, ...declaration, cluster });
  }

  host(scope: Construct, host: HostDeclaration): void {
    const { own = {} } = host;
    const { keyName, instanceProfile } = { ...this.settings, ...own };
    const text = own.userData && this.texts[own.userData.file];
    const instance = new Instance(scope, host.name, {
      ...lifecycleOf(host),
      ami: host.image,
      instanceType: host.instanceType,
      subnetId: host.subnetId ?? this.settings.subnetIds[host.index],
      vpcSecurityGroupIds: [idOf("aws_security_group.cluster"), ...furtherGroups(this.settings, own)],
      ...(keyName === undefined ? {} : { keyName }),
      ...(instanceProfile === undefined ? {} : { iamInstanceProfile: instanceProfile }),
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: {
        encrypted: true,
        ...(host.rootVolume ? { volumeSize: host.rootVolume.sizeGib } : {}),
      },
      userData: userData(this.cluster, host, this.servers(host), text && literal(text)),
      userDataReplaceOnChange: true,
      tags: { ...own.tags, ...this.tags(host), "rollout:template-hash": host.hash },
    });
    declared(instance, host);
  }

  dataVolume(scope: Construct, volume: DataVolumeDeclaration): void {
    // What stands has them, and Terraform leaves what is not written as it is.
    const { iops, throughput } = volume.id === undefined ? volume : {};
    const zone = volume.zone ?? `\${data.aws_subnet.subnet-${String(volume.index)}.availability_zone}`;
    const ebs = new EbsVolume(scope, volume.name, {
      ...lifecycleOf(volume),
      availabilityZone: zone,
      size: volume.sizeGib,
      type: volume.type,
      ...(iops === undefined ? {} : { iops }),
      ...(throughput === undefined ? {} : { throughput }),
      encrypted: true,
      tags: this.tags(volume),
    });
    declared(ebs, volume);
  }

  attachment(scope: Construct, attachment: AttachmentDeclaration): void {
    const made = new VolumeAttachment(scope, attachment.name, {
      ...lifecycleOf(attachment),
      deviceName: "/dev/sdf",
      instanceId: idOf(attachment.host),
      volumeId: idOf(attachment.volume),
      stopInstanceBeforeDetaching: true,
    });
    declared(made, attachment);
  }

  target(scope: Construct, target: TargetDeclaration): void {
    const made = new LbTargetGroupAttachment(scope, target.name, {
      ...lifecycleOf(target),
      targetGroupArn: `\${aws_lb_target_group.${target.pool}.arn}`,
      targetId: idOf(target.host),
    });
    declared(made, target);
  }

  hook(scope: Construct, hook: HookDeclaration): void {
    const provisioners = localExec(hook);
    const made = new NullResource(scope, hook.name, {
      ...lifecycleOf(hook),
      triggers: hook.triggers,
      // An empty list is a block without a label, which Terraform does not read.
      ...(provisioners.length > 0 ? { provisioners } : {}),
    });
    declared(made, hook);
  }

  private servers({ pool, userData: told }: HostDeclaration): string | undefined {
    if (told !== undefined) return toldServers(told);
    const servers = this.serversIn(pool);
    return roleOf(pool) === "client" || servers === 3 ? undefined : String(servers);
  }

  private tags(member: { name: string; pool: string; group: string }): Record<string, string> {
    return {
      Name: `${this.cluster}-${member.name}`,
      "rollout:cluster": this.cluster,
      "rollout:pool": member.pool,
      "rollout:group": member.group,
    };
  }
}

function declared(resource: TerraformResource, { name, after }: Declaration): void {
  named(resource, name);
  waitFor(resource, after);
}
