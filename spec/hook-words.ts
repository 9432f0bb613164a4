/**
 * What Terraform's local-exec calls the hooks with: names that the schema has checked, never free text and never a
 * secret. The constructs render it and the guard compares it.
 */
export const hookWords = {
  /** @param stay the hosts that stay if they were made from `hash`; all others leave */
  leave: (group: string, hash: string, stay: readonly string[]): string =>
    `leave ${group} --hash ${hash} --stay ${stay.join(",")}`,
  ready: (group: string, hash: string): string => `ready ${group} --hash ${hash}`,
  lbDrained: (host: string): string => `lb-drained ${host}`,
  configureConsul: (host: string): string => `configure-consul ${host}`,
} as const;
