import { UserError } from "./user-error.js";

/** Somebody has asked for an end, or nobody waits any more: why something ended before its time. */
export class Interruption extends UserError {
  override readonly name = "Interruption";
}
