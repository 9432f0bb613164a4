import { anchor, bullet, para } from "./markdown.js";
import { specKeys, type SpecKey } from "./spec-keys.js";

/** The reference of `cluster.yaml`: a section for each key. */
export function clusterYamlPage(): string {
  const keys = specKeys();
  const replacing = keys.filter(({ replacesMachines }) => replacesMachines);
  const template = replacing.filter(
    ({ path }) => !replacing.some((above) => path.startsWith(`${above.path}[]`)),
  );
  return [
    "# cluster.yaml",
    "<!-- Written by npm run reference from cluster/yaml/schema.ts: edit the descriptions there. -->",
    para(
      "Every key, and what may stand there. `CLUSTER=prod.yaml` names another file; without any, the example is used, and that is said. `npx rollout validate` checks a file, and an editor completes it by [cluster.schema.json](../../cluster.schema.json).",
    ),
    para(
      `Machines are replaced by a change of ${template.map((key) => link(key, key.path.replace("pools.NAME.", ""))).join(", ")}. These make up a group's template, whose hash its machines carry; no other key is part of it. With ${keys
        .filter(({ path }) => path === "pools.NAME.hosts")
        .map((key) => link(key, "hosts"))
        .join("")} they decide whether a group is pending.`,
    ),
    para(
      "A duration is a whole number and `s`, `m` or `h`. In a path `NAME` is any name of a pool, and `[]` stands for each item of a list.",
    ),
    para(
      "Further: [the platform local](../local.md), [checks of your own](../ready-checks.md), [a few machines at a time](../how-to/2-roll-an-image.md#a-few-machines-at-a-time), [a pool that leaves for good](../how-to/18-retire-and-destroy.md#a-pool-that-leaves-for-good).",
    ),
    contents(keys),
    ...keys.map(section),
  ]
    .join("\n\n")
    .concat("\n");
}

/** A line for each map, with the keys in it. */
function contents(keys: readonly SpecKey[]): string {
  const maps = new Map<string, SpecKey[]>();
  for (const key of keys) {
    const map = key.path.slice(0, -lastOf(key.path).length - 1);
    maps.set(map, [...(maps.get(map) ?? []), key]);
  }
  return [...maps]
    .map(([map, own]) => {
      const links = own.map((key) => link(key, lastOf(key.path))).join(", ");
      return bullet(map === "" ? links : `\`${map}\`: ${links}`);
    })
    .join("\n");
}

function section(key: SpecKey): string {
  const { path, description, value, isRequired, defaultText, filledIn, only, replacesMachines } = key;
  const isLiteral = defaultText !== undefined && filledIn === defaultText;
  const facts = [
    `Value: ${value}`,
    isRequired
      ? "Required"
      : defaultText === undefined
        ? "Optional"
        : `Default: ${isLiteral ? `\`${defaultText}\`` : defaultText}`,
    ...(only === undefined ? [] : [`Only ${only}`]),
    ...(replacesMachines ? ["A change replaces the machines of the group"] : []),
  ];
  return [
    `${path.includes(".") ? "###" : "##"} \`${path}\``,
    para(description),
    facts.map(bullet).join("\n"),
  ].join("\n\n");
}

const lastOf = (path: string): string => path.slice(path.lastIndexOf(".") + 1);

const link = ({ path }: SpecKey, shown: string): string => `[\`${shown}\`](#${anchor(path)})`;
