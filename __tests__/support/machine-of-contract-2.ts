import { watch } from "node:fs";
import { mkdir, copyFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ended, Scratch } from "./scratch.js";
import { supportFolder } from "./prepared.js";

const image = join(supportFolder, "..", "..", "docs", "image", "root");

/** The folders of a machine whose login writes a list, of which a unit of root's makes what Consul reads. */
export class MachineOfContract2 {
  /** What the login writes to. */
  readonly lists: string;
  /** What Consul reads. */
  readonly consul: string;

  private constructor(private readonly scratch: Scratch) {
    this.lists = join(scratch.folder, "var/lib/rollout");
    this.consul = join(scratch.folder, "etc/consul.d");
  }

  static async in(scratch: Scratch): Promise<MachineOfContract2> {
    const machine = new MachineOfContract2(scratch);
    for (const folder of [machine.lists, machine.consul, join(scratch.folder, "etc/rollout")])
      await mkdir(folder, { recursive: true });
    await copyFile(
      join(image, "etc/consul.d/rollout-contract.json"),
      join(machine.consul, "rollout-contract.json"),
    );
    // There is no such user here; who it is to be is noted.
    await scratch.program(
      "setpriv",
      `echo "$*" >>'${scratch.folder}/as'; while :; do case $1 in --*) shift ;; *) exec "$@" ;; esac; done`,
    );
    return machine;
  }

  /** What rollout-list.service runs. */
  readList(): Promise<Ended> {
    const script = join(image, "usr/local/lib/rollout/read-list");
    return this.scratch.run(script, [], { ROLLOUT_ROOT: this.scratch.folder });
  }

  /** Runs it whenever a list is put there, as rollout-list.path does. @returns what ends that */
  readLists(): () => void {
    const watcher = watch(this.lists, { persistent: false }, (_, name) => {
      if (name === "consul-servers") void this.readList();
    });
    return () => {
      watcher.close();
    };
  }
}
