import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa, type Options } from "execa";
import type { Host } from "./site.js";
import { until } from "./until.js";

const script = fileURLToPath(new URL("machine.sh", import.meta.url));

/** SIGRTMIN+4, which systemd takes for the power button; Node has no name for it. */
const POWER_OFF = 38;

/** What a machine is started from. */
export interface MachineProps {
  /** The instance's id, which is also the name of its network namespace. */
  readonly id: string;
  /** `broker-0-1` */
  readonly host: string;
  readonly address: string;
  /** Folders for overlayfs, the topmost first. */
  readonly layers: string;
}

/** A machine of the fleet: systemd in namespaces of its own. Its disk is kept until it is terminated. */
export class Machine implements Host {
  readonly #folder: string;
  #process: ReturnType<typeof startMachine> | undefined;
  #guardedBy = "";
  /** What it has printed since it was made, boots after each other. */
  printed = "";

  constructor(readonly props: MachineProps) {
    this.#folder = join("/srv/machines", props.id);
  }

  get isUp(): boolean {
    return this.#process !== undefined;
  }

  async start(): Promise<void> {
    const { id, address, layers } = this.props;
    await mkdir(join(this.#folder, "volumes"), { recursive: true });
    const console = readConsole(join(this.#folder, "console"));
    console.stdout.on("data", (data: Buffer) => (this.printed += data.toString()));
    const child = startMachine(this.#folder, id, address, layers);
    this.#process = child;
    child.all.on("data", (data: Buffer) => (this.printed += data.toString()));
    void child.then(() => {
      this.#process = undefined;
      console.kill();
    });
  }

  /** Whom its network lets in, as nft has it: from its start on, and whenever that changes. */
  async guard(ruleset: string): Promise<void> {
    if (ruleset === this.#guardedBy) return;
    const file = join(this.#folder, "firewall");
    await mkdir(this.#folder, { recursive: true });
    // A machine that starts may read it meanwhile.
    await writeFile(`${file}.new`, ruleset);
    await rename(`${file}.new`, file);
    const net = `--net=/run/netns/${this.props.id}`;
    const loaded = this.isUp && (await execa("nsenter", [net, "nft", "-f", file], { reject: false }));
    // One that starts or ends has no network to load it in. The next call comes soon.
    if (loaded === false || loaded.exitCode === 0) this.#guardedBy = ruleset;
  }

  /** As EC2 stops it: systemd is asked, and is killed after a while. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    const init = await this.#init();
    if (init !== undefined) process.kill(init, POWER_OFF);
    const timer = setTimeout(() => child.kill("SIGKILL"), 40_000);
    await child;
    clearTimeout(timer);
    await execa("ip", ["netns", "delete", this.props.id], { reject: false });
  }

  /** As a power cut. */
  async kill(): Promise<void> {
    const child = this.#process;
    child?.kill("SIGKILL");
    await child;
    await execa("ip", ["netns", "delete", this.props.id], { reject: false });
  }

  /** Removes its disk. */
  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** A block device of ours, as the machine's only volume. It stays over a restart. */
  async attach(device: string): Promise<void> {
    const number = device.replace("/dev/loop", "");
    await writeFile(join(this.#folder, "volumes", `loop${number}`), number);
    if (!this.isUp) return;
    // A machine that has just been started may have made the node from that file, or be past it.
    await until(`${this.props.host} has begun to boot`, () => this.#init(), { seconds: 30 });
    await this.run(["sh", "-c", '[ -e "$1" ] || mknod -m 0660 "$1" b 7 "$2"', "attach", device, number]);
    await writeFile(`/sys/block/loop${number}/uevent`, "add");
  }

  async detach(device: string): Promise<void> {
    await rm(join(this.#folder, "volumes", device.replace("/dev/", "")), { force: true });
    if (this.isUp) await this.run(["rm", "-f", device]);
  }

  /** Runs a program in it, as root. An exit code other than 0 is an error. */
  async run(words: readonly string[], options: Options = {}): Promise<string> {
    const init = await this.#init();
    if (init === undefined) throw new Error(`${this.props.host} is not up`);
    const { stdout } = await execa(
      "nsenter",
      [
        "--target",
        String(init),
        "--all",
        "--",
        "env",
        "-i",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ...words,
      ],
      { timeout: 60_000, ...options },
    );
    return String(stdout);
  }

  /** For whoever has to find out why something failed. */
  async journal(): Promise<string> {
    if (!this.isUp) return this.printed;
    return this.run(["journalctl", "--no-pager", "--boot", "--lines=400"]).catch((error: unknown) =>
      String(error),
    );
  }

  async logs(): Promise<Record<string, string>> {
    return { journal: await this.journal(), console: this.printed };
  }

  async #init(): Promise<number | undefined> {
    const pid = this.#process?.pid;
    if (pid === undefined) return undefined;
    const children = await readFile(`/proc/${String(pid)}/task/${String(pid)}/children`, "utf8").catch(
      () => "",
    );
    const init = Number(children.trim());
    // Before it is systemd, what the script has just started may be in no namespace of the machine's.
    const comm = await readFile(`/proc/${String(init)}/comm`, "utf8").catch(() => "");
    return comm.trim() === "systemd" ? init : undefined;
  }
}

function startMachine(folder: string, id: string, address: string, layers: string) {
  return execa(script, [folder, id, address, layers], {
    stdin: "ignore",
    all: true,
    reject: false,
    env: { NODE_OPTIONS: "" },
  });
}

/** Opened for reading and writing, a FIFO has no end; and a reader of Node's own would keep one of its few threads. */
const readConsole = (path: string) =>
  execa("sh", ["-c", '[ -p "$1" ] || mkfifo "$1"; exec cat <> "$1"', "console", path], {
    buffer: false,
    reject: false,
  });
