import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { RealEnvironment } from "../support/environment.js";
import type { Fleet } from "./fleet.js";
import type { Row } from "./scenario.js";

type Counted = Pick<Row, "scenario" | "seconds"> & Partial<Row>;

const folder = fileURLToPath(new URL("../../.cache/fleet/last", import.meta.url));

/** What a run of the fleet leaves: a table as docs/fleet.md has it, and what each machine said, in `.cache/fleet/last`. */
export class Report {
  readonly #rows: Counted[] = [];

  add(row: Counted): void {
    this.#rows.push(row);
    process.stderr.write(`${lineOf(row)}\n`);
  }

  /** Keeps what the machines have said so far. */
  async keep(fleet: Fleet): Promise<void> {
    await mkdir(folder, { recursive: true });
    await Promise.all(
      fleet.machines().map(async (machine) => {
        await writeFile(join(folder, `${machine.props.host}.journal`), await machine.journal());
        await writeFile(join(folder, `${machine.props.host}.console`), machine.printed);
      }),
    );
  }

  async write(real: RealEnvironment): Promise<void> {
    const versions = await Promise.all(
      [real.consul, real.nomad, real.terraform].map(async (binary) => {
        const { stdout } = await execa(binary, ["version"]);
        return stdout.split("\n")[0] ?? "";
      }),
    );
    const table = [
      `${new Date().toISOString().slice(0, 10)}: ${versions.join(", ")}`,
      "",
      "| scenario | seconds | requests | failed | writes | not acknowledged | acknowledged and lost | work moved twice |",
      "| --- | --- | --- | --- | --- | --- | --- | --- |",
      ...this.#rows.map(lineOf),
      "",
    ];
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "table.md"), table.join("\n"));
    process.stderr.write(table.join("\n"));
  }
}

function lineOf({ scenario, seconds, ...row }: Counted): string {
  const counts = [row.requests, row.failed, row.writes, row.refused, row.lost, row.movedTwice];
  return `| ${[scenario, seconds, ...counts.map((each) => each ?? "-")].join(" | ")} |`;
}
