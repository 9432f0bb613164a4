import { aws, ClientPool, Cluster, ConsulServers, file, NomadServers, RolloutApp, three } from "PACKAGE";

export const app = new RolloutApp();

const demo = new Cluster(app, "demo", {
  // Group i of every pool lives in subnet i.
  on: aws({ region: "eu-west-1", vpcId: "vpc-0a1", subnetIds: ["subnet-0a1", "subnet-0b1", "subnet-0c1"] }),
  // For a team: s3({ bucket, key, region })
  backend: file("terraform.demo.tfstate"),
});
new ConsulServers(demo, { images: three("ami-0aaa"), instanceTypes: three("t3.small") });
new NomadServers(demo, { images: three("ami-0aaa"), instanceTypes: three("t3.small") });
// An image for each of the groups broker-0, broker-1 and broker-2: they are rolled one by one.
new ClientPool(demo, "broker", {
  images: ["ami-0aaa", "ami-0aaa", "ami-0aaa"],
  instanceTypes: three("m6i.large"),
  hosts: three(3),
  dataVolumes: three({ sizeGib: 100 }),
  workload: "stays",
});

// For resources of your own, such as an alarm:
// demo.inEachView((view) => new Alarms(view, "alarms"));
