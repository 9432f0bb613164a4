/** An object as it was read. */
export interface StoredObject {
  readonly text: string;
  /** Tells it from all that stood or will stand under its name. */
  readonly tag: string;
  /** How long ago it was written, in milliseconds, by the store's own clock. */
  readonly ageMs: number;
}

/** An object in a list. */
export interface ListedObject {
  readonly name: string;
  readonly tag: string;
}

/**
 * What all who roll one cluster share beside its state: a few small objects that are never deleted. Whoever writes says what
 * has to be there, so that nothing is overwritten that was not seen.
 */
export interface RunStore {
  /** For messages: `terraform.demo.tfstate.rollout`, `s3://bucket/key.rollout`. */
  readonly where: string;
  /** Undefined where there is none. @throws UserError where it cannot be read */
  read(name: string): Promise<StoredObject | undefined>;
  /**
   * Writes an object whole or not at all.
   * @param text of its own: no text is written twice under a name
   * @param seen the tag of what is there; undefined: nothing is
   * @returns its tag; undefined where something else is there, and nothing was written
   * @throws UserError where it cannot be written, or nobody knows whether it was
   */
  write(name: string, text: string, seen: string | undefined): Promise<string | undefined>;
  /** The objects whose names begin so, sorted. @throws UserError */
  list(prefix: string): Promise<readonly ListedObject[]>;
}
