/** What a case throws: the same for the same number, so that a case can be run alone. */
export class Dice {
  constructor(private state: number) {}

  /** One of them. Where there is none, there is nothing to edit. */
  of<T>(list: readonly T[]): T {
    const found = list[Math.floor(this.next() * list.length)];
    if (found === undefined) throw new NothingToEdit();
    return found;
  }

  /** Once in so many times. */
  once(times: number): boolean {
    return this.next() * times < 1;
  }

  /** Mulberry32. */
  private next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }
}

/** An edit finds nothing in this stack that it could change. */
export class NothingToEdit extends Error {}
