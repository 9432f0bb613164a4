import type { Block, Stack, World } from "./world.js";

/** A tiny cluster of Terraform's built-in `terraform_data`: no provider, and everything that a pool can have. */
export const LOCAL_CLUSTER = `name: demo
platform: local
backend: { type: local, path: terraform.demo.tfstate }
pools:
  consul-server: { images: [v1, v1, v1], instanceTypes: [small, small, small] }
  nomad-server: { images: [v1, v1, v1], instanceTypes: [small, small, small] }
  broker:
    images: [v1, v1, v1] # broker
    instanceTypes: [small, small, small]
    hosts: [2, 1, 1]
    dataVolumes: [{ sizeGib: 10 }, { sizeGib: 10 }, { sizeGib: 10 }]
    loadBalancer: { port: 9876 }
rollout: { ownResources: [] }
`;

/** Sets the images of the brokers' groups. */
export const brokers = (from: string, to: string): [string, string] => [
  `images: [${from}] # broker`,
  `images: [${to}] # broker`,
];

/** The plan of broker-0 with a new image, and with something done to the stack by hand. */
export async function rollBroker0(
  world: World,
  what?: string,
  edit?: (stack: Stack) => void,
  ...options: string[]
): Promise<string> {
  world.edit(...brokers("v1, v1, v1", "v2, v1, v1"));
  await world.synth("broker-0");
  if (what !== undefined && edit) world.tamper("broker-0", what, edit);
  return world.plan("broker-0", ...options);
}

/** The blocks of a stack, by their Terraform names. */
export function blocksOf({ resource }: Stack): Record<string, Block> {
  const blocks = resource["terraform_data"];
  if (!blocks) throw new Error("the stack declares nothing");
  return blocks;
}

export function blockOf(stack: Stack, name: string): Block {
  const block = blocksOf(stack)[name];
  if (!block) throw new Error(`the stack has no ${name}`);
  return block;
}

/** The values that a stack has by name, to be edited. */
export function localsOf(stack: Stack): Record<string, unknown> {
  return (stack["locals"] ??= {}) as Record<string, unknown>;
}

export const hostInput = (stack: Stack, name: string): Block => blockOf(stack, name)["input"] as Block;

/** Takes the freeze from every block whose name begins so. */
export function thaw(stack: Stack, prefix = ""): void {
  for (const [name, block] of Object.entries(blocksOf(stack))) {
    if (name.startsWith(prefix)) delete block["lifecycle"];
  }
}

/** Drops blocks, and every mention of them in `depends_on`. */
export function drop(stack: Stack, ...names: string[]): void {
  const blocks = blocksOf(stack);
  for (const name of names) Reflect.deleteProperty(blocks, name);
  for (const block of Object.values(blocks)) {
    const needs = block["depends_on"] as string[] | undefined;
    if (needs)
      block["depends_on"] = needs.filter((need) => !names.includes(need.replace("terraform_data.", "")));
  }
}

/** What earlier versions had on each host of a pool with a load balancer. */
export const relicOf = (host: string): Block => ({
  triggers_replace: { host: `\${terraform_data.${host}.id}` },
  depends_on: [`terraform_data.${host.replace(/-\d+$/, "")}-leave`],
  provisioner: [
    {
      "local-exec": {
        command: `exec node "../../dist/bin/rollout.js" hook lb-drained ${host}`,
        when: "destroy",
      },
    },
  ],
});
