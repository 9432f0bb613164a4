/** Ids that look random and are the same in every run: a hash of a seed and a counter. */
export class Ids {
  #count = 0;

  constructor(private readonly seed: string) {}

  /** A full UUID. */
  next(): string {
    const source = `${this.seed}/${String(this.#count++)}`;
    const hex = [0, 1, 2, 3].map((part) => hash(`${source}/${String(part)}`)).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }
}

/** A number in [0, 1) that a text always gives: for times that differ from case to case but not from run to run. */
export const fractionOf = (source: string): number => Number.parseInt(hash(source), 16) / 2 ** 32;

/** FNV-1a with a final mix, so that neighbouring counters share no digits. */
function hash(source: string): string {
  let value = 0x811c9dc5;
  for (const character of source) value = Math.imul(value ^ character.charCodeAt(0), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return ((value ^ (value >>> 16)) >>> 0).toString(16).padStart(8, "0");
}
