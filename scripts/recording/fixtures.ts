import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { format, resolveConfig } from "prettier";
import * as z from "zod";
import type { Case } from "./case.js";

/** A plan that was made, and the texts that it is judged against. */
interface Recording extends Pick<Case, "what" | "expected"> {
  readonly made: readonly string[];
  readonly plan: string;
  readonly state: string;
  readonly spec: string;
}

/** In the order of a row's keys, so that rows which were not recorded again stay as they are. */
const table = z.record(
  z.string(),
  z.looseObject({
    what: z.string(),
    made: z.array(z.string()).readonly(),
    state: z.string(),
    spec: z.string(),
  }),
);

/** The folder of the plans that the guard is tested with: a table of them, and each plan, state and spec once. */
export class Fixtures {
  private constructor(
    private readonly folder: string,
    private cases: z.output<typeof table>,
  ) {}

  static in(folder: string): Fixtures {
    return new Fixtures(folder, table.parse(JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"))));
  }

  /** Writes one, in the place of what was recorded under its name. */
  async keep(name: string, { what, made, plan, state, spec, expected }: Recording): Promise<void> {
    const row = { what, made, state: hashOf(state), spec: hashOf(spec), ...expected };
    this.write(`plans/${name}.json.gz`, gzip(plan));
    this.write(`states/${row.state}.json.gz`, gzip(state));
    this.write(`specs/${row.spec}.yaml`, spec);
    const rows = Object.entries({ ...this.cases, [name]: row });
    this.cases = Object.fromEntries(rows.sort(([one], [other]) => (one < other ? -1 : 1)));
    const file = join(this.folder, "cases.json");
    const options = { ...(await resolveConfig(file)), filepath: file };
    this.write("cases.json", await format(JSON.stringify(this.cases), options));
    this.sweep();
  }

  /** Removes the states and specs that no plan is judged against any more. */
  private sweep(): void {
    const rows = Object.values(this.cases);
    const used = new Set(rows.flatMap(({ state, spec }) => [`${state}.json.gz`, `${spec}.yaml`]));
    for (const kind of ["states", "specs"]) {
      for (const file of readdirSync(join(this.folder, kind))) {
        if (!used.has(file)) rmSync(join(this.folder, kind, file));
      }
    }
  }

  private write(file: string, content: string | Uint8Array): void {
    writeFileSync(join(this.folder, file), content);
  }
}

const gzip = (text: string): Uint8Array => gzipSync(text, { level: 9 });

/** Short, since a handful of files is told apart by it. */
const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8);
