import childProcess, { ChildProcess } from "node:child_process";
import { Server, Socket } from "node:net";
import { TestEnvironment } from "jest-environment-node";

/** Everything that starts a process or reaches the network ends in one of these. */
const WAYS_OUT: readonly (readonly [owner: object, name: string])[] = [
  [ChildProcess.prototype, "spawn"],
  [childProcess, "spawnSync"],
  [childProcess, "execSync"],
  [childProcess, "execFileSync"],
  [Socket.prototype, "connect"],
  [Server.prototype, "listen"],
];

/**
 * Where unit tests run: what starts a process, connects or listens is an error, and fails the test file even if the error is
 * caught, since the program catches failures of programs and connections.
 */
export default class UnitEnvironment extends TestEnvironment {
  readonly #tries: Error[] = [];
  #restore: (() => void)[] = [];

  override async setup(): Promise<void> {
    await super.setup();
    this.#restore = WAYS_OUT.map(([owner, name]) => this.#close(owner, name));
  }

  /** The worker may run a real test next. */
  override async teardown(): Promise<void> {
    for (const restore of this.#restore) restore();
    await super.teardown();
  }

  handleTestEvent({ name }: { readonly name: string }, state: { readonly unhandledErrors: unknown[] }): void {
    if (name === "run_finish") state.unhandledErrors.push(...this.#tries);
  }

  #close(owner: object, name: string): () => void {
    const original = Object.getOwnPropertyDescriptor(owner, name);
    if (original === undefined) throw new Error(`Node has no ${name} any more`);
    const refuse = (): never => {
      const error = new Error(
        `a unit test starts no process and uses no network, and this one calls ${name}; pass in what it needs, or end its name in .real.test.ts`,
      );
      this.#tries.push(error);
      throw error;
    };
    Object.defineProperty(owner, name, { ...original, value: refuse });
    return () => {
      Object.defineProperty(owner, name, original);
    };
  }
}
