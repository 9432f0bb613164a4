import type { Node } from "../clients/consul/schemas.js";
import type { Ec2Machine } from "../clients/aws/ec2.js";
import { isUnknown } from "../rollout/observation/observation.js";
import { UserError } from "../cluster/user-error.js";
import { ask } from "./observe/ask.js";

/** Who can be asked for machines. */
export interface Sources {
  readonly catalog: () => Promise<readonly Node[]>;
  /** Absent where there is no EC2. */
  readonly machines?: () => Promise<readonly Ec2Machine[]>;
}

/**
 * Where each machine is. What it has been told it remembers until {@link forget}, so that a hundred hosts of a group are no
 * hundred questions.
 */
export class Directory {
  readonly #catalog: Remembered<readonly Node[]>;
  readonly #machines: Remembered<readonly Ec2Machine[]> | undefined;

  constructor({ catalog, machines }: Sources) {
    this.#catalog = new Remembered(catalog);
    this.#machines = machines && new Remembered(machines);
  }

  forget(): void {
    this.#catalog.forget();
    this.#machines?.forget();
  }

  catalog(): Promise<readonly Node[]> {
    return this.#catalog.get();
  }

  /** Undefined where there is no EC2. */
  machines(): Promise<readonly Ec2Machine[]> | undefined {
    return this.#machines?.get();
  }

  /**
   * The address of a host's machine, for ssh: Consul's, unless EC2 knows better, because a machine that was killed stays in
   * the catalog until its successor has registered.
   * @throws UserError where neither knows one
   */
  async addressOf(host: string): Promise<string> {
    const [catalog, machines] = await Promise.all([
      ask(() => this.catalog()),
      ask(async () => (await this.machines()) ?? []),
    ]);
    const inConsul = isUnknown(catalog) ? undefined : catalog.find(({ Node }) => Node === host)?.Address;
    const inEc2 = (isUnknown(machines) ? [] : machines)
      .filter((machine) => machine.host === host && machine.state === "running")
      .flatMap(({ privateIp }) => privateIp ?? []);
    if (inConsul !== undefined && (inEc2.length === 0 || inEc2.includes(inConsul))) return inConsul;
    // Sorted by launch time.
    const newest = inEc2.at(-1) ?? inConsul;
    if (newest !== undefined) return newest;
    const reasons = [catalog, machines].flatMap((list) => (isUnknown(list) ? [list.unknown] : []));
    const why = reasons.length === 0 ? "" : ` (${reasons.join("; ")})`;
    throw new UserError(`no address of ${host} is known to Consul${this.#machines ? " or EC2" : ""}${why}`);
  }
}

/** An answer that is asked for once. One that failed is not remembered. */
class Remembered<T> {
  #value: Promise<T> | undefined;

  constructor(private readonly question: () => Promise<T>) {}

  get(): Promise<T> {
    if (this.#value) return this.#value;
    const asked = this.question();
    this.#value = asked;
    asked.catch(() => {
      if (this.#value === asked) this.#value = undefined;
    });
    return asked;
  }

  forget(): void {
    this.#value = undefined;
  }
}
