import { ClientPool, Cluster, ConsulServers, file, local, NomadServers, RolloutApp, three } from "PACKAGE";

export const app = new RolloutApp();

// A cluster on your own machine: Consul and Nomad are simulated, sixty times as fast as real.
const demo = new Cluster(app, "demo", {
  on: local({ agents: "simulated", speed: 60 }),
  backend: file("terraform.demo.tfstate"),
});
new ConsulServers(demo, { images: three("image-1"), instanceTypes: three("small") });
new NomadServers(demo, { images: three("image-1"), instanceTypes: three("small") });
// An image for each of the groups web-0, web-1 and web-2: they are rolled one by one.
new ClientPool(demo, "web", {
  images: ["image-1", "image-1", "image-1"],
  instanceTypes: three("small"),
  hosts: three(2),
  bake: { time: "1m" },
});

// For resources of your own, such as an alarm:
// demo.inEachView((view) => new Alarms(view, "alarms"));
