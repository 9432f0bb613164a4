/** Milliseconds, medians of what was recorded from Nomad 2.0.6 on loopback. */
export const TIMES = {
  joinMs: 100,
  gossipMs: 100,
  joinRetryMs: 15_000,
  /** A member that has been forced out and comes back under its name reads `leaving` first. */
  leavingFirstMs: 200,
  /** From the end of a process until its member is `failed`: 35.7 to 45.4 s. */
  detectLeastMs: 36_000,
  detectSpreadMs: 9_000,
  bootstrapMs: 1_500,
  reconcileMs: 60_000,
  /** By how much the leader's minutes and autopilot's ticks are apart. */
  reconcileAfterMs: 4_000,
  stop: { exitMs: 400, gracefulMs: 3_100, leftMs: 2_600 },
  forceLeave: { answerMs: 800, aliveAnswerMs: 6_500 },
  ownPeerRemovedMs: 2_000,
  noLeaderMs: 5_100,
  /** From the end of a client until its node is `down`: 20.5 to 28.5 s. */
  heartbeatLeastMs: 20_500,
  heartbeatSpreadMs: 8_000,
  registerMs: 200,
  registerRetryMs: 1_000,
  gcMs: 100,
  task: { startMs: 300, stopMs: 200 },
  /** How long after a failure a service allocation is tried again. */
  rescheduleMs: 30_000,
  systemPlacementMs: 1_000,
  drain: {
    /** How often the drainer looks for work that may move; the first time so long after the start. */
    stepMs: 1_000,
    /** From the decision to move an allocation until it is told to stop. */
    markMs: 100,
    emptyMs: 40,
    /** How much later than the deadline it strikes. */
    deadlineLagMs: 1_050,
    forcedMs: 2_050,
  },
} as const;

export const RAFT_TIMES = {
  electionMs: 3_400,
  quorumBackMs: 700,
  stepDownMs: 550,
  staleLeaderMs: 4_000,
} as const;
