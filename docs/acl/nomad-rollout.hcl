# The token of whoever rolls: NOMAD_TOKEN. What each line is for: ../acl.md.

# Nodes, members; eligibility, drain, purge.
node {
  policy = "write"
}

# Autopilot's view of the servers.
operator {
  policy = "read"
}

# A machine's own agent: its id and its version.
agent {
  policy = "read"
}

# Allocations of every namespace, and how their jobs are doing elsewhere. Without it a node's list of allocations is
# empty, which looks like a finished drain.
namespace "*" {
  capabilities = ["read-job"]
}
