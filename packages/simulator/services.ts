import type { Consul } from "./consul/consul.js";
import type { Machine } from "./machine.js";
import type { Allocation } from "./nomad/allocation.js";
import type { Nomad } from "./nomad/nomad.js";

/**
 * Keeps the services of allocations in the Consul agents of their machines, as Nomad's clients do: in it once the
 * allocation runs, out of it as soon as it is told to stop, before its tasks are.
 */
export function followServices(nomad: Nomad, consul: Consul, machines: ReadonlyMap<string, Machine>): void {
  nomad.scheduler.onChange((allocation) => {
    const machine = machines.get(allocation.node.name);
    const agent = machine?.consul;
    if (!agent?.running || machine?.nomad !== allocation.node.agent) return;
    const isWanted = allocation.desired === "run" && allocation.client === "running";
    let isChanged = false;
    for (const { name, tags } of allocation.group.services) {
      const id = `_nomad-task-${allocation.id}-${name}`;
      if (agent.services.has(id) === isWanted) continue;
      isChanged = true;
      if (!isWanted) {
        agent.services.delete(id);
        continue;
      }
      const { address = "", port = 0 } = machine.settings.servesAt ?? {};
      agent.services.set(id, { id, name, tags, meta: {}, port, address });
    }
    if (isChanged) consul.changed(agent);
  });
}

/** The allocation of a service whose tasks run on a machine, be it that they have just been told to stop. */
export const serves = (nomad: Nomad, machine: string, service: string): string | undefined =>
  [...nomad.scheduler.allocations.values()].find((each) => isServing(each, machine, service))?.id;

const isServing = (allocation: Allocation, machine: string, service: string): boolean =>
  allocation.node.name === machine &&
  allocation.node.agent.running &&
  allocation.client === "running" &&
  allocation.group.services.some(({ name }) => name === service);
