import { randomUUID } from "node:crypto";
import * as z from "zod";
import { logEventSchema, type LogEvent } from "../../cluster/run/run-log.js";
import { UserError } from "../../cluster/user-error.js";
import type { Clock } from "../clock.js";
import type { RunStore } from "./run-store.js";

/** What a cluster's runs did, oldest first, and what could not be read of it. */
export interface RunLog {
  readonly events: readonly LogEvent[];
  readonly notes: readonly string[];
}

const LOG = "log/";

/** What a run was seen to wait for last. It may be lost, and says nothing that a step's beginning and end do not. */
const WATCHED = "watched";

/** How much of a log one object holds, in characters. */
const MOST = 100_000;
/** How often what is waited for is written, for those who watch. */
const EVERY_MS = 5_000;
/** How many objects are asked for at once. */
const AT_ONCE = 16;

/** What a run's log is called: it sorts behind those of earlier runs. @param since ISO 8601 in UTC */
export const logNameOf = (since: string, run: string): string => `${since.replace(/[-:]|\.\d+/g, "")}-${run}`;

/** Writes the log of one run: into objects of its own, the next one where one is full. */
export class LogWriter {
  #text = "";
  #tag: string | undefined;
  #number = 1;
  #noted = "";
  #watchedAt = Number.NEGATIVE_INFINITY;
  /** One writing after the other. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param name {@link logNameOf} the run */
  constructor(
    private readonly store: RunStore,
    private readonly clock: Pick<Clock, "now">,
    private readonly name: string,
  ) {}

  /**
   * Adds an event, and is done once that is stored, with what was noted before it.
   * @throws UserError where it cannot be stored; it is stored with the next one then
   */
  add(event: LogEvent): Promise<void> {
    this.#noted += lineOf(event);
    const added = this.#last.then(() => this.#flush());
    this.#last = added.catch(() => undefined);
    return added;
  }

  /** Adds an event that is stored with the next one, and may be lost with this process. */
  note(event: LogEvent): void {
    this.#noted += lineOf(event);
    if (this.clock.now() - this.#watchedAt < EVERY_MS) return;
    this.#watchedAt = this.clock.now();
    this.#last = this.#last.then(() => this.#watch(event)).catch(() => undefined);
  }

  async #flush(): Promise<void> {
    const noted = this.#noted;
    if (noted === "") return;
    const isFull = this.#text.length > MOST;
    const text = isFull ? noted : this.#text + noted;
    const number = isFull ? this.#number + 1 : this.#number;
    const name = `${LOG}${this.name}-${String(number).padStart(4, "0")}`;
    const tag = await this.store.write(name, text, isFull ? undefined : this.#tag);
    if (tag !== undefined) {
      this.#noted = this.#noted.slice(noted.length);
      [this.#text, this.#number, this.#tag] = [text, number, tag];
      return;
    }
    // Of an earlier writing it was not known whether it was done.
    const found = await this.store.read(name);
    const known = isFull ? "" : this.#text;
    if (found === undefined || found.text.length <= known.length || !text.startsWith(found.text))
      throw new UserError(`somebody else has written ${this.store.where}/${name}; see what does`);
    this.#noted = this.#noted.slice(found.text.length - known.length);
    [this.#text, this.#number, this.#tag] = [found.text, number, found.tag];
    await this.#flush();
  }

  async #watch(event: LogEvent): Promise<void> {
    const seen = await this.store.read(WATCHED);
    const text = `${JSON.stringify({ nonce: randomUUID(), event })}\n`;
    await this.store.write(WATCHED, text, seen?.tag);
  }
}

const lineOf = (event: LogEvent): string => `${JSON.stringify(logEventSchema.parse(event))}\n`;

const watchedSchema = z.object({ nonce: z.string(), event: logEventSchema });

/** Reads the log of a cluster, and what has not changed since only once. */
export class LogReader {
  #known = new Map<string, { readonly tag: string; readonly text: string }>();

  constructor(private readonly store: RunStore) {}

  /**
   * A line that is no event is left out and noted.
   * @param before what is older than all that the store has
   * @throws UserError where it cannot be read
   */
  async read(before = ""): Promise<RunLog> {
    const listed = await this.store.list(LOG);
    const missing = listed.filter(({ name, tag }) => this.#known.get(name)?.tag !== tag);
    for (let first = 0; first < missing.length; first += AT_ONCE)
      await Promise.all(missing.slice(first, first + AT_ONCE).map(({ name }) => this.#fetch(name)));
    const events: LogEvent[] = [];
    const notes: string[] = [];
    const texts = listed.map(({ name }) => ({ name, text: this.#known.get(name)?.text ?? "" }));
    for (const { name, text } of [{ name: `${LOG}0`, text: before }, ...texts]) {
      for (const [index, line] of text.split("\n").entries()) {
        if (line === "") continue;
        const event = parseEvent(line);
        if (event) events.push(event);
        else notes.push(`${this.store.where}/${name}:${String(index + 1)} is no event and was left out`);
      }
    }
    const watched = await this.#watched(events.at(-1));
    return { events: [...events, ...watched], notes };
  }

  async #fetch(name: string): Promise<void> {
    const found = await this.store.read(name);
    if (found) this.#known.set(name, found);
  }

  /** What the run that is under way has seen since its last line. */
  async #watched(last: LogEvent | undefined): Promise<LogEvent[]> {
    const found = await this.store.read(WATCHED);
    const event = found && parse(found.text, watchedSchema)?.event;
    return event && event.run === last?.run && event.at > last.at && last.event !== "run-ended"
      ? [event]
      : [];
  }
}

const parseEvent = (line: string): LogEvent | undefined => parse(line, logEventSchema);

function parse<T>(text: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
