import { MARKS } from "./variables.js";

/**
 * The condition that these hooks have ended in the folder of their stack. Of one that runs in this very apply Terraform knows
 * the id, and asks, only then; of one that stands in the state it asks when it plans.
 * @param hooks their addresses
 */
export function marksCondition(hooks: readonly string[]): string {
  const ids = [...hooks].sort().map((address) => `${address}.id`);
  return `\${alltrue([for id in [${ids.join(", ")}] : fileexists("\${path.module}/${MARKS}/\${id}")])}`;
}

/** What `ready` tells of a roll once it has passed, in its mark. What is no record of one is null. */
export const rollIn = (ready: string): string =>
  `\${try(jsondecode(file("\${path.module}/${MARKS}/\${${ready}.id}")), null)}`;
