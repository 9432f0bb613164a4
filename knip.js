// With --production a test is no user: what is exported for tests alone is fine where its own file uses it, and else dead.
export default {
  ignoreExportsUsedInFile: process.argv.includes("--production"),
  workspaces: {
    ".": {
      entry: [
        "main.ts!",
        "index.ts!",
        "cli/entry.ts!",
        "cli/context-worker.ts!",
        "scripts/*.{ts,mjs}!",
        "bench/*.mjs",
        "jest.fleet.config.js",
        "jest.acceptance.config.js",
        "__tests__/fleet/*.fleet.ts",
        "__tests__/acceptance/{start.mjs,main.ts,*.acceptance.ts}",
      ],
      project: ["**/*.{ts,mjs}!", "!**/__tests__/**!", "!bench/**!", "!packages/**"],
      ignoreDependencies: ["cdktf-cli"],
      ignoreBinaries: [
        "moto_server",
        "go",
        "terraform",
        "mvn",
        "jq",
        "mkfs.ext4",
        "blkid",
        "umount",
        "wipefs",
        "openssl",
        "ssh-keygen",
        "losetup",
        "ip",
        "nsenter",
      ],
    },
    "packages/simulator": { entry: ["main.ts!"], project: ["**/*.ts!", "!__tests__/**!"] },
  },
};
