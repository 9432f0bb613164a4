/** The agent that is talked to, as far as its HTTP API differs from the other's: names in messages, variables, headers. */
export interface Service {
  readonly name: "Consul" | "Nomad";
  readonly addressVariable: string;
  /** Our own, for several: the service's own tools take one address only. */
  readonly addressesVariable: string;
  readonly defaultPort: number;
  readonly tokenVariable: string;
  readonly tokenHeader: string;
}

export const CONSUL: Service = {
  name: "Consul",
  addressVariable: "CONSUL_HTTP_ADDR",
  addressesVariable: "ROLLOUT_CONSUL_ADDRS",
  defaultPort: 8500,
  tokenVariable: "CONSUL_HTTP_TOKEN",
  tokenHeader: "x-consul-token",
};

export const NOMAD: Service = {
  name: "Nomad",
  addressVariable: "NOMAD_ADDR",
  addressesVariable: "ROLLOUT_NOMAD_ADDRS",
  defaultPort: 4646,
  tokenVariable: "NOMAD_TOKEN",
  tokenHeader: "x-nomad-token",
};
