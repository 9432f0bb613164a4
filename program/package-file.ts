import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The path of a file of this package: it lies one folder up from the sources, and two from what was made of them. */
export function packageFile(name: string): string {
  const [beside = "", above = ""] = ["..", "../.."].map((up) =>
    fileURLToPath(new URL(`${up}/${name}`, import.meta.url)),
  );
  return existsSync(beside) ? beside : above;
}
