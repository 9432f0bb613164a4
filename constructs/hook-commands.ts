import { hookWords } from "../cluster/hooks/hook-words.js";

/** The commands that Terraform's local-exec runs. They are started by exec, since Terraform ends the shell only. */
export class HookCommands {
  /** @param program the compiled CLI, relative to the folder of a synthesized stack */
  constructor(private readonly program: string) {}

  leave(...args: Parameters<typeof hookWords.leave>): string {
    return this.hook(hookWords.leave(...args));
  }

  ready(...args: Parameters<typeof hookWords.ready>): string {
    return this.hook(hookWords.ready(...args));
  }

  lbDrained(host: string): string {
    return this.hook(hookWords.lbDrained(host));
  }

  configureConsul(host: string): string {
    return this.hook(hookWords.configureConsul(host));
  }

  startAgents(...args: Parameters<typeof hookWords.startAgents>): string {
    return this.hook(hookWords.startAgents(...args));
  }

  stopAgents(host: string): string {
    return this.hook(hookWords.stopAgents(host));
  }

  private hook(words: string): string {
    return `exec node "${this.program}" hook ${words}`;
  }
}
