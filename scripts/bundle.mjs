// Bundles the CLI, so that a hook or a check starts in a fraction of a second: loading zod and yaml file by file takes
// longer than judging a plan. What is large or loaded seldom stays outside.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";

const require = createRequire(import.meta.url);

/**
 * The bindings of a provider, required by whoever uses the first of them: where no cluster is on AWS, they are not installed.
 * A bundle asks for the names when it is loaded, so they are found out here.
 */
const whenUsed = (path) => `
  const { UserError } = require("./cluster/user-error.js");
  const load = () => {
    try {
      return require(${JSON.stringify(path)});
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
      throw new UserError("a cluster on aws is made of the bindings of two providers, and ${path.split("/", 2).join("/")} is not installed; install both: npm install --save-exact @cdktf/provider-aws @cdktf/provider-null", 2);
    }
  };
  for (const name of ${JSON.stringify(Object.keys(require(path)))})
    Object.defineProperty(exports, name, { enumerable: true, get: () => load()[name] });`;

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
      contents: path.startsWith("@cdktf/")
        ? whenUsed(path)
        : `module.exports = require(${JSON.stringify(path)});`,
      resolveDir: "dist",
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

const bundles = "dist/bin";
/** Of this build alone: two may run at once. */
const outdir = `dist/bin-${process.pid}`;
const common = {
  outdir,
  plugins: [requireCdktf, agentOfUndici],
  bundle: true,
  splitting: true,
  minify: true,
  keepNames: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // AWS's SDK as modules, so that a hook that asks AWS loads the few operations it needs and not all of EC2.
  mainFields: ["module", "main"],
  external: ["execa", "jsonc-parser", "openpgp"],
  // Packages in the old module format call require.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
  logLevel: "warning",
};
await build({
  ...common,
  entryPoints: {
    index: "dist/index.js",
    guard: "dist/program/typed/guard.js",
    rollout: "dist/cli/entry.js",
    "context-worker": "dist/cli/context-worker.js",
    simulator: "dist/packages/simulator/main.js",
  },
});
// A hook has a bundle of its own: of one with all verbs it would have to put together two dozen pieces.
const hooks = join(outdir, "hooks");
await build({ ...common, outdir: join(hooks, "new"), entryPoints: { hook: "dist/cli/hook.js" } });
const digest = await digestOf(join(hooks, "new"));

// Whoever runs meanwhile, be it a roll or its hooks, goes on to load its own pieces: each file is put in its place whole, and a
// piece that no bundle names any more is left for as long as the longest roll may take. So are the hooks of an earlier build,
// which a stack names by their digest (`program/hook-bundle.ts`).
const LONGEST_ROLL_MS = 7 * 24 * 3600 * 1000;
await mkdir(join(bundles, "hooks"), { recursive: true });
const now = new Date();
await rename(join(hooks, "new"), join(bundles, "hooks", digest)).catch((error) => {
  if (!["ENOTEMPTY", "EEXIST"].includes(error.code)) throw error;
});
await utimes(join(bundles, "hooks", digest), now, now);
await writeFile(join(hooks, "current"), `${digest}\n`);
await rename(join(hooks, "current"), join(bundles, "hooks", "current"));
await rm(hooks, { recursive: true });
const made = await readdir(outdir);
for (const name of made.sort((one, other) => Number(isEntry(one)) - Number(isEntry(other)))) {
  const [from, to] = [join(outdir, name), join(bundles, name)];
  const isSame = await readFile(to).then(
    async (before) => before.equals(await readFile(from)),
    () => false,
  );
  if (!isSame) await rename(from, to);
  // From now on its age is that of the last build that has named it.
  else await utimes(to, now, now);
}
const kept = [...made, ".npmignore", "hooks", join("hooks", digest), join("hooks", "current")];
const found = [
  ...(await readdir(bundles)),
  ...(await readdir(join(bundles, "hooks"))).map((name) => join("hooks", name)),
];
const left = found.filter((name) => !kept.includes(name));
for (const name of left) {
  const isOld = Date.now() - (await stat(join(bundles, name))).mtimeMs > LONGEST_ROLL_MS;
  if (isOld) await rm(join(bundles, name), { recursive: true, force: true });
}
// They are not of the package.
await writeFile(join(bundles, ".npmignore"), left.map((name) => `/${name}\n`).join(""));
await rm(outdir, { recursive: true });

/** Of all that a bundle is made of. */
async function digestOf(folder) {
  const hash = createHash("sha256");
  for (const name of (await readdir(folder)).sort())
    hash.update(name).update(await readFile(join(folder, name)));
  return hash.digest("hex").slice(0, 16);
}

/** What others load comes first: an entry names its pieces. */
function isEntry(name) {
  return !/-[0-9A-Z]{8}\.js$/.test(name);
}
