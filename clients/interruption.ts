import { Interruption } from "../cluster/interruption.js";
import { onSignals } from "./signals.js";

/**
 * A signal that is aborted once somebody ends the hook: by a signal, or because its Terraform is gone, which kills
 * the shell of a hook and not the hook itself.
 * @param parent the process that started the hook
 */
export function interruptions(parent = process.ppid): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  const end = (why: string) => (): void => {
    controller.abort(new Interruption(why));
  };
  const watch = setInterval(() => {
    if (process.ppid !== parent) end("what called this hook is gone, so nobody waits for it")();
  }, 1000);
  watch.unref();
  const stopHearing = onSignals(end("interrupted"));
  return {
    signal: controller.signal,
    stop: () => {
      clearInterval(watch);
      stopHearing();
    },
  };
}
