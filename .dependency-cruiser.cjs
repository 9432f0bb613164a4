/** Imports point one way: cli -> clients, stacks, rollout, guard -> spec; constructs -> spec; stacks -> constructs, guard. */
const only = (name, from, allowed) => ({
  name,
  comment: `${from} imports nothing of ours but ${allowed.join(", ")}`,
  severity: "error",
  from: { path: `^${from}/` },
  to: {
    path: "^(main\\.ts|cli|clients|constructs|guard|rollout|simulator|spec|stacks)(/|$)",
    pathNot: [from, ...allowed].map((folder) => `^${folder}/`),
  },
});

const pure = (folder) => ({
  name: `${folder}-is-pure`,
  comment: `${folder} decides: no file system, network, process or cdktf`,
  severity: "error",
  from: { path: `^${folder}/` },
  to: {
    path: "^(node:)?(fs|fs/promises|net|http|https|child_process|os|dns|tls)$|node_modules/(cdktf|@cdktf|@aws-sdk|execa)/",
  },
});

module.exports = {
  forbidden: [
    only("spec-is-the-ground", "spec", []),
    only("constructs-know-spec", "constructs", ["spec"]),
    only("guard-knows-spec", "guard", ["spec"]),
    only("rollout-knows-spec", "rollout", ["spec"]),
    only("clients-know-spec", "clients", ["spec"]),
    only("simulator-knows-spec", "simulator", ["spec"]),
    only("stacks-know-constructs-and-guard", "stacks", ["constructs", "guard", "spec"]),
    pure("guard"),
    pure("rollout"),
    pure("spec"),
    {
      ...pure("simulator"),
      name: "simulated-cluster-is-pure",
      comment: "the state machine: time and requests are passed in; HTTP and the process lie around it",
      from: { path: "^simulator/", pathNot: ["^simulator/http/", "^simulator/main\\.ts$"] },
      to: {
        path: "^(node:)?(fs|fs/promises|net|http|https|child_process|os|dns|tls|perf_hooks|timers|timers/promises|crypto|process)$|node_modules/(cdktf|@cdktf|execa)/|^simulator/(http/|main\\.ts$)",
      },
    },
    { name: "no-circles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "cdktf-from-its-root",
      comment: "so that an npm alias can put the community's successor in its place",
      severity: "error",
      from: { path: "^(main\\.ts|cli|constructs|stacks)" },
      to: { path: "node_modules/cdktf/lib/(?!index)", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "provider-files-not-index",
      comment: "the index of the AWS provider loads all its resources",
      severity: "error",
      from: {},
      to: { path: "node_modules/@cdktf/provider-aws/lib/index" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};
