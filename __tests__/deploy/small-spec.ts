/** Three pools on platform local, without agents. @param brokers what else the brokers' pool says: `hosts: [2, 1, 1]` */
export const smallSpec = (brokers: string, end = ""): string => `name: demo
platform: local
backend: { type: local, path: terraform.demo.tfstate }
pools:
  consul-server: { images: [v1, v1, v1], instanceTypes: [small, small, small] }
  nomad-server: { images: [v1, v1, v1], instanceTypes: [small, small, small] }
  broker: { images: [v1, v1, v1], instanceTypes: [small, small, small], ${brokers} }${end}
`;
