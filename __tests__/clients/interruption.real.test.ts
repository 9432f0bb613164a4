import { once } from "node:events";
import { pathToFileURL } from "node:url";
import { expect, test } from "@jest/globals";
import { execa } from "execa";
import { interruptions } from "../../clients/interruption.js";
import { Interruption } from "../../cluster/interruption.js";

const module = new URL("../../dist/clients/interruption.js", pathToFileURL(import.meta.filename)).href;

/** A hook that waits until it is interrupted; by itself it ends after a minute. */
const HOOK = `
  const { interruptions } = await import(${JSON.stringify(module)});
  const { signal } = interruptions();
  const end = setTimeout(() => {}, 60_000);
  signal.addEventListener("abort", () => {
    console.log(signal.reason.name + ": " + signal.reason.message);
    clearTimeout(end);
  });
  console.log("waits");
`;

test("a hook whose Terraform is gone ends itself, and says why", async () => {
  // Terraform's local-exec stands between: a shell that is killed and tells nobody.
  const shell = execa("sh", ["-c", '"$0" "$@" & wait', process.execPath, "--input-type=module", "-e", HOOK], {
    env: { NODE_OPTIONS: "" },
    reject: false,
  });
  await once(shell.stdout, "data");
  shell.kill("SIGKILL");
  // Its output ends with the hook.
  expect((await shell).stdout).toBe(
    "waits\nInterruption: what called this hook is gone, so nobody waits for it",
  );
}, 60_000);

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "a hook that gets %s is interrupted",
  async (name) => {
    const hook = execa(process.execPath, ["--input-type=module", "-e", HOOK], {
      env: { NODE_OPTIONS: "" },
      reject: false,
    });
    await once(hook.stdout, "data");
    hook.kill(name);
    expect(await hook).toMatchObject({ exitCode: 0, stdout: "waits\nInterruption: interrupted" });
  },
  60_000,
);

test("nothing is listened to once it is stopped", () => {
  const before = process.listenerCount("SIGINT");
  const { signal, stop } = interruptions();
  expect(process.listenerCount("SIGINT")).toBe(before + 1);
  process.emit("SIGINT");
  expect(signal.reason).toBeInstanceOf(Interruption);
  stop();
  expect(process.listenerCount("SIGINT")).toBe(before);
});
