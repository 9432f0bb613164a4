// Bundles the CLI, so that a hook or a check starts in a fraction of a second: loading zod and yaml file by file takes
// longer than judging a plan. What is large or loaded seldom stays outside.
import { rm } from "node:fs/promises";
import { build } from "esbuild";

/**
 * cdktf and its bindings stay outside, and are required: an import reads each of their files once more, to find out the
 * names that it exports.
 */
const requireCdktf = {
  name: "require-cdktf",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(?:cdktf|constructs|@cdktf\/.*)$/ }, ({ path, kind }) =>
      kind === "require-call" ? { path, external: true } : { path, namespace: "required" },
    );
    onLoad({ filter: /.*/, namespace: "required" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

const outdir = "dist/bin";
await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: {
    rollout: "dist/cli/rollout.js",
    "context-worker": "dist/cli/context-worker.js",
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
  external: ["execa", "jsonc-parser"],
  plugins: [requireCdktf],
  // Packages in the old module format call require.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  logLevel: "warning",
});
