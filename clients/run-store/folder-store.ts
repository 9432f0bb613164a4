import { randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UserError } from "../../cluster/user-error.js";
import { codeOf, isDiskFull } from "../error-code.js";
import type { ListedObject, RunStore, StoredObject } from "./run-store.js";

/**
 * A run store in a folder. Each object is a file whose name ends with its version, which is also its tag: a link makes the
 * next version whole, and only where it is not there; the highest one counts.
 */
export class FolderStore implements RunStore {
  /** @param where as users write it */
  constructor(
    private readonly folder: string,
    readonly where: string,
  ) {}

  read(name: string): Promise<StoredObject | undefined> {
    return this.#asked(() => {
      for (;;) {
        const version = this.#versions(name).at(-1);
        if (version === undefined) return undefined;
        const file = this.#file(name, version);
        try {
          const text = readFileSync(file, "utf8");
          return { text, tag: String(version), ageMs: Math.max(0, Date.now() - statSync(file).mtimeMs) };
        } catch (error) {
          // Somebody has written the next one meanwhile.
          if (codeOf(error) !== "ENOENT") throw error;
        }
      }
    });
  }

  write(name: string, text: string, seen: string | undefined): Promise<string | undefined> {
    return this.#asked(() => {
      const next = Number(seen ?? 0) + 1;
      const file = this.#file(name, next);
      const mine = `${file}.${randomUUID()}`;
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      try {
        if ((this.#versions(name).at(-1) ?? 0) !== next - 1) return undefined;
        writeFileSync(mine, text, { mode: 0o600 });
        linkSync(mine, file);
        const versions = this.#versions(name);
        // Where a later one stands meanwhile, this one had its time, and was removed before the link.
        if (versions.at(-1) !== next) {
          rmSync(file, { force: true });
          return undefined;
        }
        for (const version of versions)
          if (version < next) rmSync(this.#file(name, version), { force: true });
        return String(next);
      } catch (error) {
        if (codeOf(error) === "EEXIST") return undefined;
        throw error;
      } finally {
        rmSync(mine, { force: true });
      }
    });
  }

  list(prefix: string): Promise<readonly ListedObject[]> {
    return this.#asked(() => {
      const last = new Map<string, number>();
      const folder = dirname(`${prefix}x`);
      for (const entry of this.#entries(folder)) {
        const { 1: base, 2: version } = VERSIONED.exec(entry) ?? [];
        if (base === undefined) continue;
        const name = folder === "." ? base : `${folder}/${base}`;
        if (name.startsWith(prefix)) last.set(name, Math.max(Number(version), last.get(name) ?? 0));
      }
      return [...last].sort().map(([name, version]) => ({ name, tag: String(version) }));
    });
  }

  #file(name: string, version: number): string {
    return join(this.folder, `${name}.${String(version)}`);
  }

  /** Of one object, in their order. */
  #versions(name: string): number[] {
    return this.#entries(dirname(name))
      .flatMap((entry) => {
        const { 1: base, 2: version } = VERSIONED.exec(entry) ?? [];
        return base === basename(name) ? [Number(version)] : [];
      })
      .sort((a, b) => a - b);
  }

  #entries(folder: string): string[] {
    try {
      return readdirSync(join(this.folder, folder));
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  /** What Node throws becomes an error for people. */
  #asked<T>(ask: () => T): Promise<T> {
    const answer = new Promise<T>((resolve) => {
      resolve(ask());
    });
    return answer.catch((error: unknown) => {
      throw new UserError(
        isDiskFull(error)
          ? `cannot write ${this.where}: the disk is full; the roll itself is not lost: make room, and run the same command again`
          : `cannot use ${this.where}: ${codeOf(error)}; who rolls has to be able to read and write it`,
      );
    });
  }
}

const VERSIONED = /^(.+)\.([1-9][0-9]*)$/;
