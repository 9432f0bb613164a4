import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { openSync, closeSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { supportFolder } from "../support/prepared.js";
import type { Scratch } from "../support/scratch.js";

/** Starts fast and stays small: none of these lives long. */
const OPTIONS = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];

/** A class of a folder of jars, as `java` is told of it. */
export interface Main {
  readonly jars: string;
  /** `256m` */
  readonly heap: string;
  /** The class, and words of its command line. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const javaWords = ({ jars, heap, words }: Pick<Main, "jars" | "heap" | "words">): string[] => [
  `-Xmx${heap}`,
  ...OPTIONS,
  "-cp",
  `${jars}/*`,
  ...words,
];

/** A Java program that runs until it is stopped. It ends with the test process in any case. */
export class JavaProcess {
  readonly #ended: Promise<unknown>;

  private constructor(
    private readonly scratch: Scratch,
    private readonly name: string,
    private readonly process: ChildProcess,
  ) {
    this.#ended = once(process, "exit");
  }

  /** @param name of its files in the scratch folder: what it says is in `NAME.log` */
  static start(scratch: Scratch, name: string, main: Main): JavaProcess {
    const log = openSync(join(scratch.folder, `${name}.log`), "a");
    const started = spawn(
      process.execPath,
      [
        ...[join(supportFolder, "tether.mjs"), "sh", "-c"],
        ...['echo $$ > "$0" && exec java "$@"', join(scratch.folder, `${name}.pid`), ...javaWords(main)],
      ],
      { env: { ...process.env, NODE_OPTIONS: "", ...main.env }, stdio: ["pipe", "pipe", log] },
    );
    closeSync(log);
    return new JavaProcess(scratch, name, started);
  }

  get output(): Readable {
    const { stdout } = this.process;
    if (stdout === null) throw new Error(`${this.name} has no output`);
    return stdout;
  }

  /** Waits until it has ended by itself. */
  async ended(): Promise<void> {
    await this.#ended;
  }

  /** Ends it as a service manager does; it may take its time. */
  async stop(): Promise<void> {
    // The tether would kill it.
    if (this.process.exitCode === null)
      process.kill(Number(await this.scratch.read(`${this.name}.pid`)), "SIGTERM");
    await this.#ended;
  }

  /** Ends it as a lost machine does. */
  async kill(): Promise<void> {
    this.process.kill("SIGTERM");
    await this.#ended;
  }
}

/** Puts programs on the scratch folder's PATH as the distribution has them: `kafka-topics.sh` runs one class of its jars. */
export async function installTools(
  scratch: Scratch,
  jars: string,
  wordsOf: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, words] of Object.entries(wordsOf)) {
    const java = javaWords({ jars, heap: "128m", words: words.split(" ") });
    await scratch.program(name, `exec java ${java.map((word) => `'${word}'`).join(" ")} "$@"`);
  }
}
