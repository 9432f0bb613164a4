// Loaded into every Node process of a deployment that a test cuts off. The hook that HOLD_HOOK, a pattern, matches does nothing
// until the file `release` lies in HOLD_FOLDER, and says by the file `held` that it has begun; those that match before the
// HOLD_FROM-th run as ever. Those that HOLD_BEFORE matches wait until it has begun. All of them end when whoever called them is
// gone, as hooks do.
import { closeSync, existsSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [, program = "", verb, ...words] = process.argv;
const { HOLD_HOOK, HOLD_BEFORE, HOLD_FOLDER = "", HOLD_FROM = "1", ROLLOUT_GATE = "" } = process.env;
const said = [...words, ROLLOUT_GATE].join(" ");
const matches = (pattern) => pattern !== undefined && new RegExp(pattern).test(said);

if (program.endsWith("/rollout.js") && verb === "hook") {
  if (matches(HOLD_BEFORE)) await there("held");
  if (matches(HOLD_HOOK) && turn() >= Number(HOLD_FROM)) {
    writeFileSync(join(HOLD_FOLDER, "held"), "");
    await there("release");
  }
}

async function there(file) {
  const parent = process.ppid;
  while (!existsSync(join(HOLD_FOLDER, file))) {
    if (process.ppid !== parent) process.exit(1);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Which of those that match this one is. */
function turn() {
  for (let number = 1; ; number++) {
    try {
      closeSync(openSync(join(HOLD_FOLDER, `turn-${String(number)}`), "wx"));
      return number;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
  }
}
