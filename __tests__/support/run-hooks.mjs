// Runs the hooks that create a cluster of simulated agents, in the folder of its view `cluster`, where an apply has been told by
// `node-stand-in` that they have ended: this one process instead of three for each machine.
import { readFileSync } from "node:fs";
import { runHook } from "../../dist/hooks/run-hook.js";

const { resource } = JSON.parse(readFileSync("cdk.tf.json", "utf8"));
const called = Object.values(resource.terraform_data).flatMap(({ provisioner = [] }) =>
  provisioner.flatMap(({ "local-exec": { command, when } }) => {
    const [, hook, subject, hash] = / hook (\S+) (\S+)(?: --hash (\w+))?$/.exec(command) ?? [];
    return when === "destroy" ? [] : [{ hook, subject, hash }];
  }),
);

for (const isNext of [
  (pool) => pool.startsWith("consul-server-"),
  (pool) => pool.startsWith("nomad-server-"),
  (pool) => !/^(consul|nomad)-server-/.test(pool),
]) {
  for (const name of ["start-agents", "configure-consul", "ready"]) {
    const hooks = called.filter(({ hook, subject }) => hook === name && isNext(subject));
    await Promise.all(
      hooks.map((args) => runHook({ ...process.env, ROLLOUT_GATE: "open" }, args, console.log)),
    );
  }
}
