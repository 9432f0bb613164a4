import type { ApplyEvent } from "../clients/terraform/apply-stream.js";
import { meaningOf } from "../rehearsal/phases.js";
import { parseAddress } from "../cluster/address.js";

/** Tells what Terraform begins to do, each kind of it once a group. */
export function narrate(say: (line: string) => void): (event: ApplyEvent) => void {
  const told = new Set<string>();
  return (event) => {
    if (event.kind !== "started") return;
    const { address, action } = event;
    const meaning = meaningOf(address, action);
    const group = parseAddress(address)?.group;
    if (meaning === undefined || group === undefined) return;
    const line = `${group}: ${meaning}`;
    if (told.has(line)) return;
    told.add(line);
    say(line);
  };
}
