import { isLong } from "../support/long.js";

/** What is said at the stages of a client group's roll, in their order: what has passed once is not seen again. */
const ALL = [/drain/, /hook start-agents broker-0-0/, /hook configure-consul broker-0-0/, /ready: broker-0/];

/** Those at which a roll is interrupted: each, or in the short form one. */
export const STAGES: readonly RegExp[] = isLong ? ALL : ALL.slice(1, 2);
