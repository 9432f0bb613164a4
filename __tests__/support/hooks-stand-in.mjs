// Loaded into every Node process of a deployment whose machines are stand-ins: there are no agents that a hook could ask.
// What hooks do is tested beside them, in __tests__/hooks. One that STAND_IN_FAILS, a pattern, matches fails.
import { mkdirSync, writeFileSync } from "node:fs";

const [, program = "", verb, ...words] = process.argv;
if (program.endsWith("/rollout.js") && verb === "hook") {
  const said = words.join(" ");
  const fails = process.env.STAND_IN_FAILS;
  console.log(`stand-in for: hook ${said}`);
  if (fails && new RegExp(fails).test(said)) process.exit(1);
  const mark = process.env.ROLLOUT_MARK;
  if (mark) {
    mkdirSync("marks", { recursive: true });
    writeFileSync(`marks/${mark}`, "");
  }
  process.exit(0);
}
