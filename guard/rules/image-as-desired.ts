import { groupsOf } from "../../spec/groups.js";
import { isNew } from "../../spec/pending.js";
import { hostOf } from "../declared.js";
import type { Rule } from "../proposal.js";

/** A group that may change gets what the spec says of it, and nothing that an escape hatch says. */
export const imageAsDesired: Rule = ({ target, spec, deployed, declared }) => {
  if (spec.protection === "off") return [];
  return groupsOf(spec).flatMap((group) => {
    const mayChange = target === undefined ? isNew(deployed.groups.get(group.name)) : target === group.name;
    if (!mayChange || (target !== undefined && !deployed.groups.has(group.name))) return [];
    const others = declared.flatMap((resource) => {
      if (resource.group !== group.name || resource.member?.kind !== "host") return [];
      const { image, instanceType, hash } = hostOf(resource);
      const wrong = [
        ...(image === group.image ? [] : [`image ${image}, desired ${group.image}`]),
        ...(instanceType === group.instanceType
          ? []
          : [`instance type ${instanceType}, desired ${group.instanceType}`]),
        ...(hash === group.hash ? [] : [`template hash ${hash}, desired ${group.hash}`]),
      ];
      return wrong.length > 0
        ? [{ address: resource.address, text: `${resource.address} (${wrong.join("; ")})` }]
        : [];
    });
    if (others.length === 0) return [];
    return [
      {
        rule: "image-as-desired",
        subjects: others.map(({ address }) => address).sort(),
        message: `hosts of ${group.name} are declared otherwise than the spec says: ${others
          .map(({ text }) => text)
          .sort()
          .join(", ")}`,
        remedy: `change ${group.name} in cluster.yaml instead of overriding it`,
      } as const,
    ];
  });
};
