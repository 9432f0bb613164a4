/**
 * A mistake of the user or a condition of their surroundings: printed as its message alone, without a stack trace.
 * Anything else that is thrown is a bug and is printed with one.
 */
export class UserError extends Error {
  override readonly name: string = "UserError";

  /** @param exitCode 1 rejected or failed, 2 wrong usage */
  constructor(
    message: string,
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
  }
}
