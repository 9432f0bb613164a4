/** The code of an error of Node, such as ENOSPC; of any other error its own words. */
export const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error ? String(error.code) : String(error);

/** Whether there is no room on a disk, or none for this user. */
export const isDiskFull = (error: unknown): error is Error => ["ENOSPC", "EDQUOT"].includes(codeOf(error));
