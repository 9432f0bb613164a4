import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * The source of a checkout that was edited last, and after the last build; undefined where there is none. An installed package
 * has no sources.
 */
export function unbuiltSource(root: string): string | undefined {
  const age = (file: string): number => statSync(join(root, file)).mtimeMs;
  try {
    const built = age("dist/bin/rollout.js");
    const [newest] = readdirSync(join(root, "dist"))
      .flatMap((name) => sourcesOf(root, name))
      .map((file) => ({ file, age: age(file) }))
      .sort((one, other) => other.age - one.age);
    return newest && newest.age > built ? newest.file : undefined;
  } catch {
    // A checkout may be changing: nobody's command fails by that.
    return undefined;
  }
}

/** @param built the name of a file or a folder in `dist` */
function sourcesOf(root: string, built: string): string[] {
  const source = join(root, built.replace(/\.js$/, ".ts"));
  if (!existsSync(source)) return [];
  if (statSync(source).isFile()) return [built.replace(/\.js$/, ".ts")];
  return readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.includes("__tests__"))
    .map((file) => join(built, file));
}
