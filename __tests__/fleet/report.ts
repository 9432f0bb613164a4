import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Row } from "./scenario.js";
import type { Site } from "./site.js";

type Counted = Pick<Row, "scenario" | "seconds"> & Partial<Row>;

const cache = fileURLToPath(new URL("../../.cache", import.meta.url));

/** What a run leaves: a table as docs/fleet.md has it, and what each machine said, in `.cache/fleet/last`. */
export class Report {
  readonly #rows: Counted[] = [];
  readonly #folder: string;

  /** @param of whose run it is, below `.cache` */
  constructor(of: "fleet" | "tls" | "acceptance" = "fleet") {
    this.#folder = join(cache, of, "last");
  }

  add(row: Counted): void {
    this.#rows.push(row);
    process.stderr.write(`${lineOf(row)}\n`);
  }

  /** Keeps what the machines have said so far. */
  async keep(site: Site): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await Promise.all(
      site.machines().map(async (machine) => {
        for (const [kind, text] of Object.entries(await machine.logs()))
          await writeFile(join(this.#folder, `${machine.props.host}.${kind}`), text);
      }),
    );
  }

  async write(versions: readonly string[]): Promise<void> {
    const table = [
      `${new Date().toISOString().slice(0, 10)}: ${versions.join(", ")}`,
      "",
      "| scenario | seconds | requests | failed | writes | not acknowledged | acknowledged and lost | work moved twice |",
      "| --- | --- | --- | --- | --- | --- | --- | --- |",
      ...this.#rows.map(lineOf),
      "",
    ];
    await mkdir(this.#folder, { recursive: true });
    await writeFile(join(this.#folder, "table.md"), table.join("\n"));
    process.stderr.write(table.join("\n"));
  }
}

function lineOf({ scenario, seconds, ...row }: Counted): string {
  const counts = [row.requests, row.failed, row.writes, row.refused, row.lost, row.movedTwice];
  return `| ${[scenario, seconds, ...counts.map((each) => each ?? "-")].join(" | ")} |`;
}
