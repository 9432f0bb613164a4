server           = true
bootstrap_expect = 3

# rollout makes a server leave by its API, which takes 13 s. A leave by signal is cut off after 5 s on a server, and it is
# a race whether the peer is gone by then; so a stop is a stop: the server stays a member and comes back with its data.
leave_on_terminate      = false
skip_leave_on_interrupt = true

performance {
  raft_multiplier = 1
}

# Read when the cluster is made for the first time only; afterwards `consul operator autopilot set-config` changes them.
autopilot {
  cleanup_dead_servers      = true
  server_stabilization_time = "10s"
  last_contact_threshold    = "200ms"
  max_trailing_logs         = 250
}
