import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { execa } from "execa";
import { withFolderLock } from "../../../clients/local-machines/folder-lock.js";

const { signal } = new AbortController();
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rollout-lock-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("one at a time works under a lock, and one file is left", async () => {
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    inside++;
    most = Math.max(most, inside);
    await Promise.resolve();
    inside--;
  };
  await Promise.all(Array.from({ length: 20 }, () => withFolderLock(folder, signal, work)));
  expect(most).toBe(1);
  expect(await readdir(folder)).toEqual(["lock.19"]);
});

test("work that fails lets the next one in", async () => {
  await expect(withFolderLock(folder, signal, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await withFolderLock(folder, signal, () => Promise.resolve("yes"))).toBe("yes");
});

test("a lock whose process has ended is taken over, and so is one that was never written", async () => {
  const { pid } = await execa(process.execPath, ["-e", "process.stdout.write(String(process.pid))"]).then(
    ({ stdout }) => ({ pid: stdout }),
  );
  await writeFile(join(folder, "lock.7"), pid);
  expect(await withFolderLock(folder, signal, () => readdir(folder))).toEqual(["lock.8"]);
  await writeFile(join(folder, "lock.9"), "");
  await utimes(join(folder, "lock.9"), 0, 0);
  expect(await withFolderLock(folder, signal, () => readdir(folder))).toEqual(["lock.10"]);
});

test("refuses to wait on once it is interrupted", async () => {
  await writeFile(join(folder, "lock.0"), String(process.pid));
  const controller = new AbortController();
  const waiting = withFolderLock(folder, controller.signal, () => Promise.resolve());
  controller.abort(new Error("interrupted"));
  await expect(waiting).rejects.toThrow("interrupted");
});
