import { readFile, rename, writeFile } from "node:fs/promises";

export interface Announcement {
  /** The base URL of the control. */
  readonly control: string;
  readonly pid: number;
  /** When its time began, in ISO 8601: simulated time is this, and what has passed since, divided by the factor. */
  readonly since: string;
  readonly factor: number;
}

const LOOK_EVERY_MS = 250;

/**
 * Writes into a file where a simulator is found.
 * @param onGone called once the file is gone or says something else: nobody can find this simulator any more
 */
export async function announce(file: string, what: Announcement, onGone: () => void): Promise<void> {
  const text = `${JSON.stringify(what)}\n`;
  const beside = `${file}.${String(what.pid)}.new`;
  await writeFile(beside, text, { mode: 0o600 });
  await rename(beside, file);
  const watch = setInterval(() => {
    readFile(file, "utf8")
      .catch(() => undefined)
      .then((found) => {
        if (found === text) return;
        clearInterval(watch);
        onGone();
      })
      .catch(onGone);
  }, LOOK_EVERY_MS);
}
