/**
 * What Terraform's local-exec runs for a hook. It is started by exec, since Terraform ends the shell only.
 * @param program the compiled CLI, relative to the folder of a synthesized stack; absent where nothing is to be called
 * @param words of `hookWords`
 */
export const hookCommand = (program: string | undefined, words: string): string | undefined =>
  program === undefined ? undefined : `exec node "${program}" hook ${words}`;
