import { isLater, type Answer, type Reply } from "./answer.js";

/** Takes an event off the timeline; harmless once it has happened. */
export type Cancel = () => void;

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

interface Waiting {
  readonly look: () => void;
}

export interface TimelineOptions {
  /** Caller's milliseconds for one simulated millisecond. Default: 1; 0.01 makes a minute last 0.6 s. */
  readonly factor?: number;
  /** Time stamps count from here. Default: 2026-01-01T00:00:00Z, so that equal runs give equal answers. */
  readonly epoch?: Date;
}

/** Simulated time: what happens next, in order, when the caller says that time has passed. All times are milliseconds. */
export class Timeline {
  readonly factor: number;
  readonly #epoch: number;
  readonly #waiting = new Set<Waiting>();
  #events: Event[] = [];
  #now = 0;
  #order = 0;

  constructor(options: TimelineOptions = {}) {
    this.factor = options.factor ?? 1;
    this.#epoch = (options.epoch ?? new Date("2026-01-01T00:00:00Z")).getTime();
  }

  /** Simulated milliseconds since the start. */
  get now(): number {
    return this.#now;
  }

  /** How many requests wait for their answers. */
  get held(): number {
    return this.#waiting.size;
  }

  /** Lets `ms` milliseconds of the caller's time pass. */
  advance(ms: number): void {
    const until = this.#now + ms / this.factor;
    for (let next = this.#events[0]; next && next.at <= until; next = this.#events[0]) {
      this.#events.shift();
      this.#now = Math.max(this.#now, next.at);
      next.run();
      this.look();
    }
    this.#now = until;
  }

  /** The caller's milliseconds until something happens by itself; undefined when nothing will. */
  get nextIn(): number | undefined {
    const next = this.#events[0];
    return next && Math.max(0, (next.at - this.#now) * this.factor);
  }

  after(ms: number, run: () => void): Cancel {
    const event = { at: this.#now + ms, order: this.#order++, run };
    const place = this.#events.findIndex(({ at }) => at > event.at);
    this.#events.splice(place === -1 ? this.#events.length : place, 0, event);
    return () => {
      this.#events = this.#events.filter((each) => each !== event);
    };
  }

  every(ms: number, run: () => void): Cancel {
    let cancel = this.after(ms, again.bind(this));
    function again(this: Timeline): void {
      cancel = this.after(ms, again.bind(this));
      run();
    }
    return () => {
      cancel();
    };
  }

  /** Gives `done` the answer as soon as there is one, at once if possible. */
  settle(reply: Reply, done: (answer: Answer) => void): void {
    if (!isLater(reply)) {
      done(reply);
      return;
    }
    const soon = reply.ready();
    if (soon) {
      this.settle(soon, done);
      return;
    }
    const stop = (): void => {
      this.#waiting.delete(waiting);
      cancel();
    };
    const waiting = {
      look: () => {
        const next = reply.ready();
        if (!next) return;
        stop();
        this.settle(next, done);
      },
    };
    const cancel = this.after(reply.atMost, () => {
      stop();
      this.settle(reply.otherwise(), done);
    });
    this.#waiting.add(waiting);
  }

  /** Answers the requests that wait for what has just changed. */
  look(): void {
    for (const waiting of [...this.#waiting]) if (this.#waiting.has(waiting)) waiting.look();
  }

  /** `2026-01-01T00:00:05.000Z`, as agents write a moment. */
  stamp(at = this.#now): string {
    return new Date(this.#epoch + at).toISOString();
  }

  /** `2026-01-01T00:00:05Z`, as autopilot writes it. */
  stampInSeconds(at = this.#now): string {
    return `${this.stamp(at).slice(0, 19)}Z`;
  }

  /** Nanoseconds since 1970, as allocations carry them. */
  nanoseconds(at = this.#now): number {
    return Math.round(this.#epoch + at) * 1e6;
  }

  unixSeconds(at = this.#now): number {
    return Math.floor((this.#epoch + at) / 1000);
  }
}
