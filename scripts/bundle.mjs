// Bundles the CLI, so that a hook or a check starts in a fraction of a second: loading zod and yaml file by file takes
// longer than judging a plan. What is large or loaded seldom stays outside.
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
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

/** Of undici the agent alone, as `clients/http/request-by.ts` uses it: all of it takes longer to load than a hook has to do. */
const agentOfUndici = {
  name: "agent-of-undici",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, () => ({ path: "undici", namespace: "agent-of-undici" }));
    onLoad({ filter: /.*/, namespace: "agent-of-undici" }, () => ({
      contents: `
        require("undici/lib/dispatcher/dispatcher.js").prototype.request = require("undici/lib/api/api-request.js");
        exports.Agent = require("undici/lib/dispatcher/agent.js");`,
      resolveDir: process.cwd(),
    }));
  },
};

/** A hook has a bundle of its own: of one with all verbs it would have to put together two dozen pieces. */
const hookBeside = {
  name: "hook-beside",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/hook\.js$/ }, () => ({ path: "./hook.js", external: true }));
  },
};

const bundles = "dist/bin";
/** Of this build alone: two may run at once. */
const outdir = `dist/bin-${process.pid}`;
const common = {
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
  // Packages in the old module format call require.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  logLevel: "warning",
};
await build({
  ...common,
  entryPoints: {
    rollout: "dist/cli/entry.js",
    "context-worker": "dist/cli/context-worker.js",
    simulator: "dist/packages/simulator/main.js",
  },
  plugins: [requireCdktf, agentOfUndici, hookBeside],
});
await build({
  ...common,
  entryPoints: { hook: "dist/cli/hook.js" },
  chunkNames: "hook-[name]-[hash]",
  plugins: [requireCdktf, agentOfUndici],
});

// Whoever runs meanwhile, be it a roll or its hooks, goes on to load its own pieces: each file is put in its place whole, and a
// piece that no bundle names any more is left for as long as the longest roll may take.
const LONGEST_ROLL_MS = 7 * 24 * 3600 * 1000;
await mkdir(bundles, { recursive: true });
const made = await readdir(outdir);
for (const name of made.sort((one, other) => Number(isEntry(one)) - Number(isEntry(other)))) {
  const [from, to] = [join(outdir, name), join(bundles, name)];
  const isSame = await readFile(to).then(
    async (before) => before.equals(await readFile(from)),
    () => false,
  );
  if (!isSame) await rename(from, to);
  // From now on its age is that of the last build that has named it.
  else await utimes(to, new Date(), new Date());
}
for (const name of await readdir(bundles)) {
  const isOld = Date.now() - (await stat(join(bundles, name))).mtimeMs > LONGEST_ROLL_MS;
  if (isOld && !made.includes(name)) await rm(join(bundles, name));
}
await rm(outdir, { recursive: true });

/** What others load comes first: an entry names its pieces. */
function isEntry(name) {
  return !/-[0-9A-Z]{8}\.js$/.test(name);
}
