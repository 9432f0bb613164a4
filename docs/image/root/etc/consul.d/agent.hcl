# Every machine. What differs by role is linked to role.hcl, what differs by machine is in rollout-machine.json; both are
# written by rollout-boot. rollout-servers.json is made of rollout's list, and empty on a machine that is new.
datacenter = "dc1"
data_dir   = "/var/lib/consul"

bind_addr = "{{ GetPrivateIP }}"
# The API is for this machine and for whoever has an ssh tunnel to it.
client_addr = "127.0.0.1"

# How long an agent waits between two tries to reach the servers of its list. The default is 30s.
retry_interval = "5s"

disable_update_check = true

acl {
  enabled                  = true
  default_policy           = "deny"
  enable_token_persistence = false # tokens are fetched at every start, into /run/rollout/consul
}
