import { specJsonSchema } from "../../cluster/yaml/json-schema.js";
import { clusterYamlPage } from "./cluster-yaml.js";
import { picture } from "./picture.js";
import { versionsPage } from "./versions.js";
import { verbsPage } from "./verbs.js";

/** Every file that is written by `npm run reference`, by its path in the tree. */
export const generated: Readonly<Record<string, () => string>> = {
  "cluster.schema.json": () => JSON.stringify(specJsonSchema()),
  "docs/reference/cluster-yaml.md": clusterYamlPage,
  "docs/reference/verbs.md": verbsPage,
  "docs/roll.svg": picture,
  "docs/versions.md": versionsPage,
};
