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

# Which jobs there are in every namespace, their allocations, and how they are doing elsewhere. Without it a node's list of
# allocations is empty, which looks like a finished drain. Reading jobs is not listing them.
namespace "*" {
  capabilities = ["list-jobs", "read-job"]
}
