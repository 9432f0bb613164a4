import { writeFile } from "node:fs/promises";
import { format, resolveConfig } from "prettier";
import { specJsonSchema } from "../cluster/yaml/json-schema.js";

// `npm run schema`: run in the top folder after a change of cluster/yaml/schema.ts.
const FILE = "cluster.schema.json";

const style = await resolveConfig(FILE);
await writeFile(FILE, await format(JSON.stringify(specJsonSchema()), { ...style, filepath: FILE }));
