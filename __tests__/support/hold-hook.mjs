// Loaded into every Node process of a deployment that a test cuts off. The hook that HOLD_HOOK, a pattern, matches does nothing
// until the file `release` lies in HOLD_FOLDER, and says by the file `held` that it has begun; it ends when whoever called it is
// gone, as hooks do. Those that match before the HOLD_FROM-th run as ever.
import { existsSync, openSync, closeSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [, program = "", verb, ...words] = process.argv;
const {
  HOLD_HOOK: pattern,
  HOLD_FOLDER: folder = "",
  HOLD_FROM: from = "1",
  ROLLOUT_GATE: gate = "",
} = process.env;
if (pattern && program.endsWith("/rollout.js") && verb === "hook") {
  if (new RegExp(pattern).test([...words, gate].join(" ")) && turn() >= Number(from)) await hold();
}

/** Which of those that match this one is. */
function turn() {
  for (let number = 1; ; number++) {
    try {
      closeSync(openSync(join(folder, `turn-${String(number)}`), "wx"));
      return number;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
  }
}

async function hold() {
  const parent = process.ppid;
  writeFileSync(join(folder, "held"), String(process.pid));
  while (!existsSync(join(folder, "release"))) {
    if (process.ppid !== parent) process.exit(1);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
