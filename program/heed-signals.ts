import { onSignals } from "../clients/signals.js";

/** How an action learns that the process was asked to end. */
export interface Asked {
  /** Aborted by any signal: nothing more is begun. */
  readonly stop: AbortSignal;
  /** Aborted by a signal that children did not get, too: they are asked to end. Ctrl-C reaches them by itself. */
  readonly end: AbortSignal;
}

/** Runs an action to its end: a process that is asked to end by a signal does so when the action has, by that very signal. */
export async function heedSignals<T>(action: (asked: Asked) => Promise<T> | T): Promise<T> {
  const [stop, end] = [new AbortController(), new AbortController()];
  let asked: NodeJS.Signals | undefined;
  const stopHearing = onSignals((signal) => {
    asked ??= signal;
    stop.abort();
    if (signal !== "SIGINT") end.abort();
  });
  try {
    return await action({ stop: stop.signal, end: end.signal });
  } finally {
    // What came while the action kept the process busy is heard of only now.
    await new Promise((heard) => setImmediate(heard));
    stopHearing();
    if (asked !== undefined) process.kill(process.pid, asked);
  }
}
