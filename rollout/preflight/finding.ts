import type { Unknown } from "../observation/observation.js";

/** Why something may not go on, or a warning. */
export interface Finding {
  /** Whom it is about: a group, a host, a server, a token. */
  readonly subject: string;
  /** What is so, lower case, without a final full stop. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
  /** It passes by itself within seconds, unless more is wrong: an election. */
  readonly passing?: true;
}

/** What the token may not ask. */
export const refused = (subject: string, { unknown }: Unknown): Finding => ({
  subject,
  message: unknown,
  remedy: "waiting does not change that",
});

/** `broker-0-1: its drain was ended by the deadline; run it again` */
export const formatFinding = ({ subject, message, remedy }: Finding): string =>
  `${subject}: ${message}; ${remedy}`;
