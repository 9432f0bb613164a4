# The token of whoever rolls: CONSUL_HTTP_TOKEN. What each line is for: ../acl.md.

# Autopilot and raft are read before and after each server; a peer that is gone for good is removed.
operator = "write"

# A machine's own agent: leave, reload, join, and its own id (self).
agent_prefix "" {
  policy = "write"
}

# Members and catalog; with less they are empty lists, not errors. Writing is for one call: the record of a machine that
# died is removed from the catalog, or its successor of the same name cannot register.
node_prefix "" {
  policy = "write"
}

# The health of what runs on the machines.
service_prefix "" {
  policy = "read"
}
