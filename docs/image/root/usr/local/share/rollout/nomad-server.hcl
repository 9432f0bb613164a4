server {
  enabled          = true
  bootstrap_expect = 3
}

# A server that stops leaves: it is out of raft after 3 s, and its successor votes 17 to 20 s after it has started. A
# server that is only stopped is noticed after 36 to 45 s.
leave_on_interrupt = true
leave_on_terminate = true

# Read when the cluster is made for the first time only; afterwards `nomad operator autopilot set-config` changes them.
autopilot {
  cleanup_dead_servers      = true
  server_stabilization_time = "10s"
  last_contact_threshold    = "200ms"
  max_trailing_logs         = 250
}
