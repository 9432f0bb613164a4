import { writeFile } from "node:fs/promises";
import { format, getFileInfo, resolveConfig } from "prettier";
import { generated } from "./reference/generated.js";

// `npm run reference`: run in the top folder after a change of cluster/yaml/schema.ts or of a verb in cli/rollout.ts.
for (const [file, text] of Object.entries(generated)) {
  const { inferredParser } = await getFileInfo(file);
  const style = await resolveConfig(file);
  await writeFile(file, inferredParser ? await format(text(), { ...style, filepath: file }) : text());
}
