import { existsSync } from "node:fs";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { execa } from "execa";
import type { Machine } from "./machine.js";

/** A volume: a file behind a loop device, which the kernel gives up with the process that holds it. */
export class Disk {
  #holder: ReturnType<typeof hold> | undefined;
  /** Who has it, by what this fleet has done. */
  machine: Machine | undefined;
  #device = "";

  constructor(
    private readonly id: string,
    private readonly sizeGib: number,
  ) {}

  async attach(machine: Machine): Promise<void> {
    const file = `/srv/volumes/${this.id}`;
    if (!existsSync(file)) {
      await mkdir("/srv/volumes", { recursive: true });
      await writeFile(file, "");
      await truncate(file, this.sizeGib * 1024 ** 3);
    }
    const { stdout } = await execa("losetup", ["--find", "--show", file]);
    this.#device = stdout;
    this.#holder = hold(stdout);
    this.machine = machine;
    await machine.attach(stdout);
  }

  async detach(): Promise<void> {
    await this.machine?.detach(this.#device);
    this.#holder?.kill();
    await this.#holder;
    this.machine = undefined;
  }
}

/** Detached while it is open, a loop device is gone once nobody has it open. */
const hold = (device: string) =>
  execa("sh", ["-c", 'exec 9<>"$1"; losetup --detach "$1"; exec sleep infinity', "hold", device], {
    reject: false,
  });
