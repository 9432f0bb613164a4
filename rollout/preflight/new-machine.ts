import type { DeployedGroup } from "../../cluster/deployed.js";
import { numbersIn, type Group } from "../../cluster/groups.js";
import { hasNumber } from "../../cluster/numbers.js";
import type { AwsSettings } from "../../cluster/yaml/schema.js";

type List<T> = readonly T[] | undefined;
type Text = string | undefined;

/** What EC2 says of what a machine is started with, in its own words. What it does not say is undefined. */
export interface MachineFacts {
  Images?: List<{ State?: Text; Architecture?: Text; OwnerId?: Text }>;
  /** The image again, where it is this account's or that of one in `aws.imageOwners`. */
  own?: List<unknown>;
  InstanceTypes?: List<{ ProcessorInfo?: { SupportedArchitectures?: string[] | undefined } | undefined }>;
  InstanceTypeOfferings?: List<{ Location?: Text }>;
  Subnets?: List<{ AvailabilityZone?: Text; AvailableIpAddressCount?: number | undefined }>;
  objection?: Text;
}

/**
 * Why machines of a group could not be made, as far as EC2 says so before one goes.
 * @param current what is deployed of it, where that is known
 */
export function whyNoMachine(
  { region, subnetIds }: Pick<AwsSettings, "region" | "subnetIds">,
  group: Group,
  current: Pick<DeployedGroup, "hosts" | "volumes"> | undefined,
  { Images, own, InstanceTypes: types, InstanceTypeOfferings: offers, Subnets, objection }: MachineFacts,
): string[] {
  const { name, index, image, instanceType: type } = group;
  const [id, found, there] = [subnetIds[index], Images?.[0], Subnets?.[0]];
  const fits = types?.flatMap(({ ProcessorInfo }) => ProcessorInfo?.SupportedArchitectures ?? []) ?? [];
  const zones = offers?.flatMap(({ Location = [] }) => Location).sort() ?? [];
  const { State = "", Architecture: built = fits[0] ?? "", OwnerId = "" } = found ?? {};
  const { AvailabilityZone: zone = "", AvailableIpAddressCount: free = 0 } = there ?? {};
  const volumes = (current?.volumes ?? []).flatMap(({ host, zone = [] }) =>
    hasNumber(group, host) ? zone : [],
  );
  const away = there ? [...new Set(volumes.filter((each) => each !== zone))] : [];
  // Those that are there stay, or go first.
  const more = current
    ? numbersIn(group).length - current.hosts.filter(({ subnetId }) => subnetId === id).length
    : 0;
  const subnet = `its subnet ${id} is in ${zone}`;
  const all: readonly (readonly [is: unknown, why: string])[] = [
    [Images?.length === 0, `EC2 has no image ${image} in ${region} for this account`],
    [found && State !== "available", `its image ${image} is ${State}, not available`],
    [found && own?.length === 0, `its image ${image} is account ${OwnerId}'s, not one of aws.imageOwners`],
    [types?.length === 0, `EC2 has no instance type ${type} in ${region}`],
    [fits[0] && !fits.includes(built), `its image is for ${built}, and ${type} is ${fits.join(" or ")}`],
    [Subnets?.length === 0, `EC2 has no subnet ${id} in ${region}`],
    [there && zones[0] && !zones.includes(zone), `${subnet}, ${type} is offered in ${zones.join(", ")}`],
    [away.length > 0, `${subnet}, and its data volumes are in ${away.join(", ")}`],
    [there && free < more, `subnet ${id} has room for ${String(free)} of ${String(more)} more machines`],
    [objection !== undefined, `EC2 would not start its machines: ${objection ?? ""}`],
  ];
  return all.flatMap(([is, why]) =>
    is === true ? [`${name}: ${why}; correct the spec or the account`] : [],
  );
}
