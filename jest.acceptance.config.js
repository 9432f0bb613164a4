import config from "./jest.config.js";

/** The scenarios in an AWS account: `npm run acceptance:aws` starts it (`__tests__/acceptance/main.ts`). */
export default {
  ...config.projects.find(({ displayName }) => displayName === "real"),
  displayName: "acceptance",
  testMatch: ["<rootDir>/__tests__/acceptance/*.acceptance.ts"],
  maxWorkers: 1,
  // Where a creation has failed, what waits for its servers would wait on.
  forceExit: true,
};
