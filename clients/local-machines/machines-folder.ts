import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { codeOf } from "../error-code.js";
import { readJsonFile } from "../json-file.js";
import { putFile } from "../put-file.js";

const machineSchema = z.object({
  name: z.string(),
  role: z.enum(["consul-server", "nomad-server", "client"]),
  agents: z.enum(["simulated", "real"]),
  /** In the cluster's own network: simulated, or of the loopback interface. */
  address: z.string(),
  /** Base URLs of the two agents; a Consul server has no Nomad. */
  consul: z.url(),
  nomad: z.url().optional(),
  /** ISO 8601. */
  startedAt: z.iso.datetime(),
  /** Of real agents: the process of Nomad, where there is one. */
  pids: z.object({ nomad: z.int().optional() }).optional(),
});

/** A machine of the local platform that has been started. */
export type LocalMachine = z.output<typeof machineSchema>;

const announcementSchema = z.object({
  control: z.url(),
  pid: z.int().positive(),
  since: z.iso.datetime(),
  factor: z.number().positive(),
});

/** Where a simulator is found, and what its time is. */
export type Announcement = z.output<typeof announcementSchema>;

const MACHINE = "machine.json";

/** The folder `machines` of a run folder: one folder a machine, with what it is and what its agents keep. */
export class MachinesFolder {
  constructor(readonly path: string) {}

  /** The machines, those that have run longest first, so that who asks them does not ask a new one first. */
  list(): LocalMachine[] {
    return this.names()
      .flatMap((name) => this.find(name) ?? [])
      .sort((one, other) => one.startedAt.localeCompare(other.startedAt) || (one.name < other.name ? -1 : 1));
  }

  /** Of whom there is a folder, also where a start was cut off. */
  names(): string[] {
    try {
      return readdirSync(this.path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
        .sort();
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  find(name: string): LocalMachine | undefined {
    return this.#read(join(this.folderOf(name), MACHINE), machineSchema);
  }

  /** Where a machine's own files lie. */
  folderOf(name: string): string {
    return join(this.path, name);
  }

  /** What the machine's Consul agent reads: `/etc/consul.d` of other machines. */
  consulFolderOf(name: string): string {
    return join(this.folderOf(name), "consul.d");
  }

  write(machine: LocalMachine): void {
    mkdirSync(this.folderOf(machine.name), { recursive: true, mode: 0o700 });
    putFile(join(this.folderOf(machine.name), MACHINE), `${JSON.stringify(machine, null, 2)}\n`);
  }

  /** Makes an empty folder for a machine. */
  empty(name: string): string {
    this.remove(name);
    mkdirSync(this.consulFolderOf(name), { recursive: true, mode: 0o700 });
    return this.folderOf(name);
  }

  remove(name: string): void {
    rmSync(this.folderOf(name), { recursive: true, force: true });
  }

  /** The file in which a simulator says where it is. */
  get announcementFile(): string {
    return join(this.path, "simulator.json");
  }

  announcement(): Announcement | undefined {
    return this.#read(this.announcementFile, announcementSchema);
  }

  /** What a file says; undefined where there is none. @throws UserError where it is damaged */
  #read<T>(file: string, schema: z.ZodType<T>): T | undefined {
    const damaged = `${file} is damaged, or of another version of this program; remove it, and destroy the cluster`;
    return readJsonFile(file, schema, damaged);
  }
}
