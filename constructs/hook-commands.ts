/**
 * The commands that Terraform's local-exec runs. They are started by exec, since Terraform ends the shell only, and
 * hold names that the schema has checked, never free text and never a secret.
 */
export class HookCommands {
  /** @param program the compiled CLI, relative to the folder of a synthesized stack */
  constructor(private readonly program: string) {}

  /** @param stay the hosts that stay if they were made from `hash`; all others leave */
  leave(group: string, hash: string, stay: readonly string[]): string {
    return this.hook("leave", group, "--hash", hash, "--stay", stay.join(","));
  }

  ready(group: string, hash: string): string {
    return this.hook("ready", group, "--hash", hash);
  }

  lbDrained(host: string): string {
    return this.hook("lb-drained", host);
  }

  configureConsul(host: string): string {
    return this.hook("configure-consul", host);
  }

  private hook(...words: readonly string[]): string {
    return `exec node "${this.program}" hook ${words.join(" ")}`;
  }
}
