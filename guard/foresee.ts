import { hostName, parseAddress } from "../cluster/address.js";
import type { Deployed, DeployedGroup, DeployedHost, DeployedVolume } from "../cluster/deployed.js";
import { performanceChanges } from "../cluster/volume-changes.js";
import type { Change } from "./change.js";
import { hostOf, isMultiplied, volumeOf, type DeclaredHost, type DeclaredResource } from "./declared.js";

/**
 * What Terraform would do with what was synthesized, as far as that can be told from the state. A freeze is not counted
 * on: a frozen resource that is declared otherwise than it is deployed counts as a change.
 * @param forgotten the addresses that Terraform lets go of
 */
export function foreseeChanges(
  declared: readonly DeclaredResource[],
  deployed: Deployed,
  forgotten: readonly string[] = [],
): Change[] {
  const addresses = new Set(
    declared.map((resource) => (isMultiplied(resource) ? `${resource.address}[]` : resource.address)),
  );
  const gone = [...deployed.addresses].filter(
    (address) => !addresses.has(withoutKey(address)) && !address.startsWith("data."),
  );
  const objects = objectsOf(deployed);
  return [
    ...declared.flatMap((resource) => changeOf(resource, objects)),
    ...gone.map((address): Change => {
      const member = parseAddress(address);
      const action = forgotten.includes(address) ? "forget" : "delete";
      return { address, action, ...(member ? { group: member.group, member } : {}) };
    }),
  ];
}

/** What is deployed, to be looked up for each of thousands of resources. */
interface Objects {
  readonly addresses: ReadonlySet<string>;
  /** The addresses of objects that have a key, without it. */
  readonly multiplied: ReadonlySet<string>;
  /** By group and number, as in `broker-0-1`. */
  readonly hosts: ReadonlyMap<string, DeployedHost>;
  readonly volumes: ReadonlyMap<string, DeployedVolume>;
}

function objectsOf({ addresses, groups }: Deployed): Objects {
  const byHost = <T>(list: (group: DeployedGroup) => readonly T[], numberOf: (each: T) => number) =>
    new Map(
      [...groups].flatMap(([name, group]) =>
        list(group).map((each) => [hostName(name, numberOf(each)), each] as const),
      ),
    );
  return {
    addresses,
    multiplied: new Set([...addresses].map(withoutKey).filter((address) => address.endsWith("[]"))),
    hosts: byHost(
      ({ hosts }) => hosts,
      ({ number }) => number,
    ),
    volumes: byHost(
      ({ volumes }) => volumes,
      ({ host }) => host,
    ),
  };
}

function changeOf(resource: DeclaredResource, deployed: Objects): Change[] {
  const { address, member, group: name } = resource;
  const base = {
    address,
    ...(name === undefined ? {} : { group: name }),
    ...(member ? { member } : {}),
  };
  if (isMultiplied(resource)) {
    return deployed.multiplied.has(`${address}[]`) ? [] : [{ ...base, action: "create" }];
  }
  if (!deployed.addresses.has(address)) return [{ ...base, action: "create" }];
  const place = member?.host === undefined ? "" : hostName(member.group, member.host);
  if (member?.kind === "host") {
    const host = deployed.hosts.get(place);
    const want = hostOf(resource);
    const detail = host && hostDifference(host, want);
    return detail ? [{ ...base, action: "replace", detail }] : [];
  }
  if (member?.kind === "data") {
    const volume = deployed.volumes.get(place);
    const want = volumeOf(resource);
    const detail =
      volume &&
      [
        differences(
          [`${String(volume.sizeGib)} GiB`, `${String(want.sizeGib)} GiB`],
          [volume.type, want.type],
        ),
        ...performanceChanges(volume, want),
      ]
        .filter((text) => text !== "")
        .join(", ");
    return detail ? [{ ...base, action: "update", detail }] : [];
  }
  return [];
}

/** `aws_alarm.busy[]` for `aws_alarm.busy["broker"]` and `aws_alarm.busy[0]`, the objects that one block stands for. */
const withoutKey = (address: string): string => address.replace(/\[[^\]]*\]$/, "[]");

function hostDifference(host: DeclaredHost, want: DeclaredHost): string {
  const visible = differences(
    [host.image, want.image],
    [host.instanceType, want.instanceType],
    [host.subnetId ?? want.subnetId ?? "", want.subnetId ?? ""],
  );
  if (visible !== "" || host.hash === want.hash) return visible;
  return `template ${host.hash} -> ${want.hash}`;
}

/** `ami-0aaa -> ami-0bbb, m6i.large -> m6i.xlarge`; empty when nothing differs. */
function differences(...pairs: readonly (readonly [string, string])[]): string {
  return pairs
    .filter(([from, to]) => from !== to)
    .map(([from, to]) => `${from} -> ${to}`)
    .join(", ");
}
