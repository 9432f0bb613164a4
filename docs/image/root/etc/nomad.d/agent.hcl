# Every machine with a Nomad agent. What differs by role is linked to role.hcl, what differs by machine is in
# rollout-machine.json; both are written by rollout-boot.
datacenter = "dc1"
region     = "global"
# Never on the data volume: a machine that finds its predecessor's folder takes its node id and stays ineligible.
data_dir = "/var/lib/nomad"

bind_addr = "0.0.0.0"
addresses {
  # The API is for this machine and for whoever has an ssh tunnel to it.
  http = "127.0.0.1"
}
advertise {
  http = "{{ GetPrivateIP }}"
  rpc  = "{{ GetPrivateIP }}"
  serf = "{{ GetPrivateIP }}"
}

# Servers and clients find the servers through the machine's own Consul agent, whose list rollout keeps.
consul {
  address          = "127.0.0.1:8500"
  server_auto_join = true
  client_auto_join = true
}

acl {
  enabled = true
}

disable_update_check = true
