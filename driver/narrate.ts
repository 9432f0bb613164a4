import type { ApplyEvent } from "../clients/terraform/apply-stream.js";
import { meaningOf } from "../rollout/roll/meaning.js";
import { parseAddress } from "../cluster/address.js";

/** Tells what Terraform begins to do, each kind of it once a group. */
export function narrate(say: (line: string) => void): (event: ApplyEvent) => void {
  const told = new Set<string>();
  return (event) => {
    if (event.kind !== "started") return;
    const { address, action } = event;
    const member = parseAddress(address);
    const meaning = member && meaningOf(member.kind, action);
    if (!member || meaning === undefined) return;
    const line = `${member.group}: ${meaning}`;
    if (told.has(line)) return;
    told.add(line);
    say(line);
  };
}
