import { availableParallelism } from "node:os";

/** What both suites share. */
const suite = {
  // execa's signal-exit keeps an object on the global scope; jest's cleanup wraps it anew with every test file, until
  // the stack is at its end.
  testEnvironmentOptions: { globalsCleanup: "off" },
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "\\.ts$": [
      "@swc/jest",
      { jsc: { target: "es2023", parser: { syntax: "typescript" } }, module: { type: "es6" } },
    ],
  },
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
  modulePathIgnorePatterns: ["<rootDir>/dist/", "<rootDir>/cdktf.out/", "<rootDir>/.cache/"],
};

const tests = (ending) => [
  `<rootDir>/__tests__/**/*${ending}`,
  `<rootDir>/packages/*/__tests__/**/*${ending}`,
];

/** @type {import("jest").Config} */
export default {
  // Real tests wait for half of their time, for a provider, a gate or a process.
  maxWorkers: 2 * availableParallelism(),
  testSequencer: "<rootDir>/__tests__/support/longest-first.mjs",
  // No handle stays open, but a worker with a large heap needs longer to free it than the 500 ms that jest gives it to exit.
  workerIdleMemoryLimit: "512MB",
  // For a machine that does much else meanwhile: nothing here is a measurement.
  testTimeout: 60_000,
  projects: [
    {
      ...suite,
      displayName: "unit",
      testMatch: tests(".test.ts"),
      testPathIgnorePatterns: ["\\.real\\.test\\.ts$"],
      testEnvironment: "<rootDir>/__tests__/support/unit-environment.ts",
    },
    {
      ...suite,
      displayName: "real",
      testMatch: tests(".real.test.ts"),
      globalSetup: "<rootDir>/__tests__/support/global-setup.mjs",
      globalTeardown: "<rootDir>/__tests__/support/global-teardown.ts",
    },
  ],
};
