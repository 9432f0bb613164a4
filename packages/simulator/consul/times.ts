/** Milliseconds, medians of what was recorded from Consul 1.8.7 on loopback. */
export const TIMES = {
  /** From the start of a process until it first tries to join, and until gossip is known everywhere. */
  joinMs: 100,
  gossipMs: 100,
  retryJoinMs: 30_000,
  /** How often a machine whose name is still taken is looked at again. */
  conflictRetryMs: 15_000,
  /** Servers try failed members again: how an empty agent with an outdated list is found at its old address. */
  reconnectMs: 20_000,
  detectMs: 5_100,
  bootstrapMs: 1_300,
  bootstrapAnewMs: 4_000,
  reconcileMs: 60_000,
  antiEntropyRetryMs: 21_000,
  leave: {
    server: { leavingMs: 4_900, peerGoneMs: 5_100, leftMs: 5_200, answerMs: 13_400, exitMs: 13_900 },
    client: { leftMs: 350, answerMs: 3_400, exitMs: 4_000 },
    withoutLeaderMs: 17_200,
    leaderStillNamedMs: 2_300,
    electionMs: 3_500,
  },
  signal: { serverExitMs: 500, serverCutOffMs: 5_300, clientExitMs: 4_100 },
  forceLeave: { leftMs: 70, answerMs: 500, refutedMs: 200, undetectedAnswerMs: 1_200, hangMs: 60_000 },
  noLeaderMs: 7_000,
  maintenanceWithoutLeaderMs: 14_000,
} as const;

export const RAFT_TIMES = {
  electionMs: 2_200,
  quorumBackMs: 700,
  stepDownMs: 550,
  staleLeaderMs: 1_300,
} as const;

/** A server counts as reachable for this long after its process has ended. */
export const CONTACT_MS = 500;
