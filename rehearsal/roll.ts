import { movesOf, type Moves } from "./moved-twice.js";
import { phasesOfRoll } from "./phases.js";
import type { RehearsalStep } from "./report.js";
import type { Deployed } from "../cluster/deployed.js";
import type { Group } from "../cluster/groups.js";
import { deployGroup } from "../driver/deploy-group.js";
import { drive } from "./drive.js";
import { difference, knowingServers, machineIds, replacedMachines } from "./differences.js";
import type { Rehearsing } from "./rehearsing.js";
import type { Say } from "./tasks.js";

/** Gives a group another image and rolls it, as `rollout set image` and `rollout deploy` do. */
export async function rollGroup(
  rehearsing: Rehearsing,
  { name, role, image, hosts }: Group,
  say: Say,
): Promise<{ readonly step: RehearsalStep; readonly moves: Moves }> {
  const begun = performance.now();
  const next = nextImage(image);
  const namesIn = ({ groups }: Deployed): string[] => groups.get(name)?.hosts.map((each) => each.name) ?? [];
  rehearsing.setImages(new Map([[name, next]]));
  const old = await rehearsing.program();
  const machines = namesIn(old.deployed);
  const [before, going] = [await rehearsing.work(), await rehearsing.nodesOf(machines)];
  const recorded = await drive(rehearsing, { view: name, cause: `the rehearsal of ${name}`, say }, (run) =>
    deployGroup(run, name),
  );
  const moves = movesOf(before, await rehearsing.work(), going);
  const { deployed, views } = await rehearsing.program();
  const made = namesIn(deployed);
  const all = [...new Set([...machines, ...made])].sort();
  const refreshed = recorded.applied.filter(
    ({ address, action }) => action === "create" && address.endsWith("-config-consul"),
  );
  const told = role === "consul-server" ? machineIds(deployed).size * hosts : hosts;
  return {
    moves,
    step: {
      step: "roll",
      group: name,
      change: `${image} -> ${next}`,
      machines: replacedMachines(old.deployed, deployed),
      seconds: (performance.now() - begun) / 1000,
      phases: phasesOfRoll(recorded),
      refusal: null,
      problems: [
        ...difference("machines with a new id", replacedMachines(old.deployed, deployed), all),
        ...difference("machines", made.length, hosts),
        ...difference(
          "images that the machines report",
          await rehearsing.imagesOf(made),
          imagesOf(made, next),
        ),
        ...difference("machines that were told of the Consul servers", refreshed.length, told),
        ...difference(
          "machines that know all Consul servers",
          knowingServers(deployed),
          machineIds(deployed).size,
        ),
        ...difference("work that nothing follows", moves.missing, []),
        ...difference("views on offer", views, ["cluster"]),
      ],
    },
  };
}

const imagesOf = (machines: readonly string[], image: string): Record<string, string> =>
  Object.fromEntries(machines.map((name) => [name, image]));

const LONGEST = 128;
const NEXT = "-next";

/** An image that differs from a group's own, with a name that is one. */
export const nextImage = (image: string): string =>
  image.endsWith(NEXT) ? image.slice(0, -NEXT.length) : `${image.slice(0, LONGEST - NEXT.length)}${NEXT}`;
