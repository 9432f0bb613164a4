/** The code of an error of Node, such as ENOSPC; of any other error its own words. */
export const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error ? String(error.code) : messageOf(error);

/** What an error says, whoever threw it: in a test those of Node are of another realm, so that `instanceof` does not tell. */
export const messageOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error);

/** Whether there is no room on a disk, or none for this user. */
export const isDiskFull = (error: unknown): error is Error => ["ENOSPC", "EDQUOT"].includes(codeOf(error));
