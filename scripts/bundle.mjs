// Bundles the CLI, so that a hook or a check starts in a fraction of a second: loading zod and yaml file by file takes
// longer than judging a plan. What is large or loaded seldom stays outside.
import { rm } from "node:fs/promises";
import { build } from "esbuild";

const outdir = "dist/bin";
await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: {
    rollout: "dist/cli/rollout.js",
    "context-worker": "dist/cli/context-worker.js",
    "planned-worker": "dist/cli/planned-worker.js",
    simulator: "dist/simulator/main.js",
  },
  outdir,
  bundle: true,
  splitting: true,
  minify: true,
  keepNames: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // AWS's SDK as modules, so that a hook that asks AWS loads the few operations it needs and not all of EC2.
  mainFields: ["module", "main"],
  external: ["cdktf", "constructs", "@cdktf/*", "execa", "jsonc-parser"],
  // Packages in the old module format call require.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  logLevel: "warning",
});
