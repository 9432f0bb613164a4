# The token of whoever rolls: CONSUL_HTTP_TOKEN. What each line is for: ../acl.md.

# Autopilot and raft are read before and after each server; a peer that is gone for good is removed.
operator = "write"

# A machine's own agent: leave, reload, join, and its own id (self).
agent_prefix "" {
  policy = "write"
}

# Members and catalog; with less they are empty lists, not errors.
node_prefix "" {
  policy = "read"
}

# The health of what runs on the machines.
service_prefix "" {
  policy = "read"
}
