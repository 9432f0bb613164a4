client {
  enabled = true
  # No drain_on_shutdown: rollout drains with a deadline, watches until everything has ended, and knows what runs elsewhere.
  # A drain on shutdown would also happen at each restart of the agent, with nobody who looks at its result.
}

leave_on_interrupt = false
leave_on_terminate = false
