import config from "./jest.config.js";

/** The fleet's suite: `npm run test:fleet` starts it in namespaces of its own (`__tests__/fleet/run.sh`). */
export default {
  ...config.projects.find(({ displayName }) => displayName === "real"),
  displayName: "fleet",
  testMatch: ["<rootDir>/__tests__/fleet/*.fleet.ts"],
  maxWorkers: 1,
  // Where a creation has failed, what waits for its servers would wait on.
  forceExit: true,
};
