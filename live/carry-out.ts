import type { LeaveStep } from "../rollout/leave/step.js";
import type { LiveCluster } from "./live-cluster.js";

export type LeaveAction = Exclude<LeaveStep, { action: "wait" }>;

/**
 * Does one step of a leave. Every step may be repeated: whoever asks for it again finds it done, or does it again without
 * harm.
 * @param snapshotFile where a snapshot of the servers is kept
 * @throws ClientError, SshFailure or AwsFailure in words for the user
 */
export async function carryOut(
  step: LeaveAction,
  cluster: Pick<LiveCluster, "consul" | "nomad" | "agents" | "balance">,
  { snapshotFile, signal }: { readonly snapshotFile: string; readonly signal: AbortSignal },
): Promise<void> {
  const { consul, nomad, agents } = cluster;
  switch (step.action) {
    case "deregister-targets":
      return cluster.balance("deregister", step.hosts);
    case "mark-ineligible":
      return all(step.nodes, ({ id }) => nomad.setEligibility(id, "ineligible"));
    case "drain": {
      const { drainDeadlineSeconds: deadline } = step;
      return all(step.nodes, ({ id }) => nomad.drain(id, { deadline }));
    }
    case "consul-leave":
      return all(step.hosts, async (host) => (await agents.consul(host)).leave(host, signal));
    case "snapshot-consul":
      return consul.saveSnapshot(snapshotFile, signal);
    case "snapshot-nomad":
      return nomad.saveSnapshot(snapshotFile, signal);
    case "transfer-consul-leadership":
      await consul.transferLeader(step.to.id);
      return;
    case "remove-consul-peer":
      await consul.removePeer(step.peer.id);
      return;
    case "transfer-nomad-leadership":
      await nomad.transferLeadership(step.to.id);
      return;
    case "stop-nomad-server":
      return agents.stopNomad(step.host, signal);
    case "remove-nomad-peer":
      await nomad.removePeer(step.peer.id);
      return;
  }
}

/** One that fails does not stop the others; the first failure is told once all have ended. */
async function all<T>(subjects: readonly T[], act: (subject: T) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled(subjects.map(act));
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
}
