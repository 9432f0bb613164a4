/**
 * The rooms, from the ground up, and what each may import of ours. One rule a room; CONTRIBUTING.md has the same table in
 * words.
 */
const ROOMS = {
  cluster: [],
  constructs: ["cluster"],
  guard: ["cluster"],
  rollout: ["cluster"],
  clients: ["cluster"],
  stacks: ["constructs", "guard", "cluster"],
  live: ["clients", "rollout", "cluster"],
  hooks: ["live", "clients", "rollout", "cluster"],
  program: ["stacks", "clients", "rollout", "guard", "cluster"],
  driver: ["hooks", "program", "live", "clients", "rollout", "guard", "cluster"],
  rehearsal: ["driver", "program", "live", "clients", "rollout", "guard", "cluster"],
  cli: [
    "rehearsal",
    "driver",
    "hooks",
    "program",
    "live",
    "clients",
    "rollout",
    "guard",
    "stacks",
    "cluster",
  ],
  "packages/simulator": [],
};
const OURS = ["main.ts", ...Object.keys(ROOMS)];

const only = ([room, allowed]) => ({
  name: `${room.replace("/", "-")}-imports`,
  comment: `${room} imports of ours ${allowed.length === 0 ? "nothing" : `nothing but ${allowed.join(", ")}`}`,
  severity: "error",
  from: { path: `^${room}/` },
  to: {
    path: `^(${OURS.join("|").replaceAll(".", "\\.")})(/|$)`,
    pathNot: [room, ...allowed].map((name) => `^${name}/`),
  },
});

const pure = (room, from = { path: `^${room}/` }) => ({
  name: `${room.replace("/", "-")}-is-pure`,
  comment: `no file system, network, process or cdktf in ${room}`,
  severity: "error",
  from,
  to: {
    path: "^(node:)?(fs|fs/promises|net|http|https|child_process|os|dns|tls)$|node_modules/(cdktf|@cdktf|@aws-sdk|execa)/",
  },
});

module.exports = {
  forbidden: [
    ...Object.entries(ROOMS).map(only),
    pure("cluster"),
    pure("guard"),
    pure("rollout"),
    pure("cli/output"),
    {
      name: "cli-output-only-formats",
      comment: "it gets what it formats, and looks for nothing itself",
      severity: "error",
      from: { path: "^cli/output/" },
      to: { path: "^(clients|live|hooks|stacks)/" },
    },
    pure("rehearsal", { path: "^rehearsal/(report|phases|moved-twice|default-groups|spec)\\.ts$" }),
    {
      name: "simulated-cluster-is-pure",
      comment: "the state machine: time and requests are passed in; HTTP and the process lie around it",
      severity: "error",
      from: {
        path: "^packages/simulator/",
        pathNot: ["^packages/simulator/(http|__tests__)/", "/main\\.ts$"],
      },
      to: {
        path: "^(node:)?(fs|fs/promises|net|http|https|child_process|os|dns|tls|perf_hooks|timers|timers/promises|crypto|process)$|^packages/simulator/(http/|main\\.ts$)",
      },
    },
    { name: "no-circles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "cdktf-from-its-root",
      comment: "so that an npm alias can put the community's successor in its place",
      severity: "error",
      from: { path: "^(main\\.ts|program|cli|constructs|stacks)" },
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
    exclude: { path: "(^|/)__tests__/" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};
