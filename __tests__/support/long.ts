import { test } from "@jest/globals";

/** Whether the long form of the tests runs, which `npm run test:long` asks for. */
export const isLong = process.env["ROLLOUT_TEST_LONG"] === "1";

/** A test of the long form alone; the short one reports it as skipped. CONTRIBUTING has the table of what stays. */
export const longTest = isLong ? test : test.skip;
