import { findGroup } from "../cluster/find-group.js";
import { hostNames, type Group } from "../cluster/groups.js";
import type { HookContext } from "../hooks/hook-context.js";
import { passGate } from "../hooks/ready.js";
import { connect } from "../live/live-cluster.js";
import { readCluster } from "../program/read-deployed.js";
import { readSpecAsFound } from "../program/read-spec.js";
import { hasLeft } from "../rollout/edit/take-back.js";
import { stillThere } from "../rollout/leave/still-there.js";
import { agentsOf } from "./group-agents.js";
import { GroupSteps } from "./group-steps.js";
import type { Run } from "./run.js";

/**
 * Ends the drain of a group of clients that goes back, as long as none of its machines has left Consul or gone, and waits for
 * its gate. Nothing has to be replaced then.
 * @returns the generation of its machines; undefined where they have to be replaced
 * @throws UserError when it does not become whole
 */
export async function endDrain(run: Run, name: string): Promise<number | undefined> {
  const { spec, deployed } = await readCluster(run.env, readSpecAsFound(run.env));
  const [group, current] = [findGroup(spec, name), deployed.groups.get(name)];
  const last = current?.revisions.at(-1);
  if (!current || !last || group.role !== "client" || hasLeft(current)) return undefined;
  const { image, hash, generation } = last;
  const numbers = current.hosts.flatMap((host) => (host.hash === hash ? host.number : []));
  const was = { ...group, image, hash, generation, hosts: numbers.length, numbers };
  const steps = new GroupSteps(run, name);
  const told = { say: steps.say, onCondition: steps.waits, folder: "." };
  const agents = agentsOf(run, { spec, deployed }, group, told);
  await run.prove();
  if (!agents || !(await isBackAtWork(agents.context, was))) return undefined;
  await run.log({ event: "group-started", group: name, from: group.image, to: image, hash: group.hash });
  const message = "its drain is ended and nothing is replaced; until it is whole";
  await steps
    .during("gate", message, () => passGate(agents.context, was, []))
    .then(agents.afterReady)
    .finally(agents.undo);
  await run.log({ event: "group-ended", group: name, result: "undone", seconds: steps.seconds(), message });
  return generation;
}

/** Gives a group's nodes work again, and its targets requests, if all of its machines are there. */
async function isBackAtWork({ env, file, machines, clock, say }: HookContext, was: Group): Promise<boolean> {
  const { name: group, role } = was;
  const cluster = await connect(file.spec, env, clock.now, machines, group);
  try {
    const seen = await cluster.observe({ group, role, agentsOf: [], checks: [] });
    const hosts = hostNames(was);
    const there = stillThere(seen, hosts);
    if (typeof there === "string") {
      say(`its drain is not ended, since its machines have to be replaced: ${there}`);
      return false;
    }
    for (const { id, drain, eligibility } of there) {
      if (drain) await cluster.nomad.cancelDrain(id, { markEligible: true });
      else if (eligibility === "ineligible") await cluster.nomad.setEligibility(id, "eligible");
    }
    await cluster.balance("register", hosts);
    return true;
  } finally {
    await cluster.close();
  }
}
