/** How many servers Consul and Nomad each have: server pools have one host in each of three groups. */
export const SERVERS = 3;
