import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Sequencer from "@jest/test-sequencer";

/** The suites that take longest, in this order; most of their time they wait. */
const LONGEST = [
  "deploy/kill-matrix-ec2",
  "deploy/kill-matrix-local",
  "deploy/kill-matrix-s3",
  "deploy/aws",
  "deploy/plan-group-aws",
  "deploy/local-agents",
  "deploy/local-agents-nomad",
  "deploy/local-agents-consul",
  "deploy/roll",
  "docs/how-to",
  "deploy/five-servers",
  "contract/consul",
  "deploy/surge",
  "deploy/batches",
  "upgrade/upgrade",
].map((name) => fileURLToPath(new URL(`../${name}.real.test.ts`, import.meta.url)));

for (const file of LONGEST.filter((each) => !existsSync(each)))
  throw new Error(`${file} is gone: correct LONGEST of longest-first.mjs`);

/**
 * Where jest knows no times, as in a fresh clone, it begins with the largest files, and the longest suites are among the smallest:
 * begun last, one of them would run alone for minutes.
 */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => (LONGEST.includes(path) ? LONGEST.indexOf(path) : LONGEST.length);
    return super.sort(tests).sort((one, other) => rank(one) - rank(other));
  }
}
