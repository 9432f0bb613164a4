import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
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

test("one at a time works under a lock, and no file is left", async () => {
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
  expect(await readdir(folder)).toEqual([]);
});

test("work that fails lets the next one in", async () => {
  await expect(withFolderLock(folder, signal, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await withFolderLock(folder, signal, () => Promise.resolve("yes"))).toBe("yes");
});

test("a lock whose process has ended is taken over", async () => {
  const { stdout } = await execa(process.execPath, ["-e", "process.stdout.write(String(process.pid))"]);
  await writeFile(join(folder, "lock"), holder(Number(stdout)));
  expect(await withFolderLock(folder, signal, () => Promise.resolve("taken over"))).toBe("taken over");
});

test("refuses to wait on once it is interrupted", async () => {
  await writeFile(join(folder, "lock"), holder(process.pid));
  const controller = new AbortController();
  const waiting = withFolderLock(folder, controller.signal, () => Promise.resolve());
  controller.abort(new Error("interrupted"));
  await expect(waiting).rejects.toThrow("interrupted");
});

const holder = (pid: number): string =>
  JSON.stringify({
    id: "1",
    by: "a@b",
    host: hostname(),
    pid,
    since: "2026-01-01T00:00:00.000Z",
    command: "machines",
  });
