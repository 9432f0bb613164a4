import { UserError } from "../cluster/user-error.js";

/** Stops a machine's Nomad where the platform offers that by HTTP. No token is sent, and no redirect followed. */
export async function stopNomadByPut(
  host: string,
  url: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const late = AbortSignal.timeout(timeoutMs);
  const reason = await fetch(url, {
    method: "PUT",
    redirect: "manual",
    signal: signal ? AbortSignal.any([late, signal]) : late,
  }).then(
    async (response) => {
      await response.body?.cancel();
      return response.ok ? undefined : `status ${String(response.status)}`;
    },
    () => {
      signal?.throwIfAborted();
      return late.aborted ? `no answer within ${String(timeoutMs / 1000)} s` : "no answer";
    },
  );
  if (reason === undefined) return;
  throw new UserError(
    `Nomad was not stopped: ${host}: PUT ${url}: ${reason}; see that the machine runs, and run this again`,
  );
}
