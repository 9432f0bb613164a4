import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import * as z from "zod";
import type { Workspace } from "../deploy/workspace.js";

/** A cluster that an earlier version made; see kept/README.md. */
export interface Kept {
  /** The text of one of its files. */
  readonly text: (file: string) => string;
  /** Puts what was synthesized for a view where the program puts it. */
  readonly putFolder: (demo: Workspace, from: "first" | "then", view: string) => void;
  /** The same with other texts for some: the ids of another cloud. */
  readonly with: (replacements: readonly (readonly [from: string, to: string])[]) => Kept;
  /** `broker-0-gate-closed`: the states of rolls that were cut off. */
  readonly cuts: readonly string[];
}

const PROGRAM = fileURLToPath(new URL("../../dist/bin/rollout.js", import.meta.url));

export function readKept(name: string): Kept {
  const file = new URL(`./kept/${name}.json.gz`, import.meta.url);
  return keptOf(
    z.record(z.string(), z.string()).parse(JSON.parse(gunzipSync(readFileSync(file)).toString())),
  );
}

function keptOf(files: Readonly<Record<string, string>>): Kept {
  const text = (file: string): string => {
    const found = files[file];
    if (found === undefined) throw new Error(`no ${file} was kept`);
    return found;
  };
  return {
    text,
    putFolder: (demo, from, view) => {
      const folder = demo.stackFolder(view);
      for (const file of ["cdk.tf.json", "hooks.json"]) {
        mkdirSync(folder, { recursive: true });
        const kept = text(`${from}/${view}/${file}`).replaceAll("<program>", relative(folder, PROGRAM));
        writeFileSync(join(folder, file), kept);
      }
    },
    with: (replacements) =>
      keptOf(
        Object.fromEntries(
          Object.entries(files).map(([file, kept]) => [
            file,
            replacements.reduce((changed, [from, to]) => changed.replaceAll(from, to), kept),
          ]),
        ),
      ),
    cuts: Object.keys(files)
      .filter((file) => dirname(file) === "." && file.endsWith(".tfstate") && file !== "whole.tfstate")
      .map((file) => file.replace(".tfstate", "")),
  };
}
