import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";

export interface Network {
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
}

/** Makes a VPC with three subnets, by Terraform itself. */
export async function makeNetwork(folder: string): Promise<Network> {
  const subnet = (index: number) => ({
    vpc_id: "${aws_vpc.demo.id}",
    cidr_block: `10.0.${String(index)}.0/24`,
    availability_zone: `eu-west-1${"abc".charAt(index)}`,
  });
  const stack = {
    terraform: { required_providers: { aws: { source: "hashicorp/aws", version: "5.100.0" } } },
    provider: { aws: { region: "eu-west-1" } },
    resource: {
      aws_vpc: { demo: { cidr_block: "10.0.0.0/16" } },
      aws_subnet: { a: subnet(0), b: subnet(1), c: subnet(2) },
    },
    output: {
      vpc: { value: "${aws_vpc.demo.id}" },
      subnets: { value: ["a", "b", "c"].map((name) => `\${aws_subnet.${name}.id}`) },
    },
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "main.tf.json"), JSON.stringify(stack));
  const terraform = (...args: string[]) => execa("terraform", args, { cwd: folder, stdin: "ignore" });
  await terraform("init");
  await terraform("apply", "-auto-approve");
  const { stdout } = await terraform("output", "-json");
  const { vpc, subnets } = JSON.parse(stdout) as { vpc: { value: string }; subnets: { value: string[] } };
  return { vpcId: vpc.value, subnetIds: subnets.value };
}
