import { build } from "esbuild";

// Node does not read TypeScript before version 22, and jest neither asks a question nor outlives Ctrl-C.
await build({
  entryPoints: ["__tests__/acceptance/main.ts"],
  outfile: ".cache/acceptance/main.mjs",
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  logLevel: "warning",
});
await import("../../.cache/acceptance/main.mjs");
