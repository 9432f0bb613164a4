/** @type {import("jest").Config} */
export default {
  // For a machine that does much else meanwhile: nothing here is a measurement.
  testTimeout: 60_000,
  // The longest tests wait for a provider most of the time.
  maxWorkers: "100%",
  // execa's signal-exit keeps an object on the global scope; jest's cleanup wraps it anew with every test file, until
  // the stack is at its end.
  testEnvironmentOptions: { globalsCleanup: "off" },
  testMatch: ["<rootDir>/__tests__/**/*.test.ts", "<rootDir>/packages/*/__tests__/**/*.test.ts"],
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "\\.ts$": [
      "@swc/jest",
      { jsc: { target: "es2023", parser: { syntax: "typescript" } }, module: { type: "es6" } },
    ],
  },
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
  modulePathIgnorePatterns: ["<rootDir>/dist/", "<rootDir>/cdktf.out/", "<rootDir>/.cache/"],
  globalTeardown: "<rootDir>/__tests__/support/global-teardown.ts",
  globalSetup: "<rootDir>/__tests__/support/global-setup.ts",
};
