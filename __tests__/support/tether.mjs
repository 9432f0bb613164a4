// Runs a command for as long as whoever started this keeps its standard input open: so the command ends with the test process,
// however that ends. (A listener for "exit" would not do: Jest gives tests a copy of `process`, and nothing survives a kill.)
import { spawn } from "node:child_process";

const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"], detached: true });

function stop() {
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    process.exit(1);
  }
}

child.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
child.on("exit", () => process.exit(0));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
process.stdin.on("end", stop).on("error", stop).resume();
