import type { Rule } from "../proposal.js";

/** What has the address of a group's member stands in that group's construct, so that it is never judged as another's. */
export const unattributedChange: Rule = ({ declared }) => {
  const strays = declared.filter(({ member, group }) => member !== undefined && member.group !== group);
  if (strays.length === 0) return [];
  return [
    {
      rule: "unattributed-change",
      subjects: strays.map(({ address }) => address).sort(),
      message: `addresses of a group are declared outside of it: ${strays
        .map(({ address, path }) => `${address} at ${path}`)
        .sort()
        .join(", ")}`,
      remedy: "give the resource another name, or declare it in the group",
    },
  ];
};
