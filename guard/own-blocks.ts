import { parseAddress } from "../cluster/address.js";
import { isOwnAddress } from "../cluster/shared-address.js";
import { listed } from "./listed.js";
import { isUnchanged } from "./plan/plan-changes.js";
import type { Proposal } from "./proposal.js";
import { addressIn, namesIn, textsIn } from "./references.js";
import { refuse, type Violation } from "./verdict.js";
import type { Wiring } from "./wiring.js";

type Block = Pick<Wiring, "address" | "body">;

/** The resources and data sources of the user's own, sorted: what the configuration has beside what this program renders. */
export const ownIn = ({ wiring, spec }: Proposal): string[] =>
  wiring
    .filter(({ address, member }) => !member && !/^(provider|module|action)\./.test(address))
    .map(({ address }) => address)
    .filter((address) => isOwnAddress(address, spec))
    .sort();

/** What belongs to no group may not act on one: nobody would drain it before, or gate it after. */
export function ownActs(proposal: Proposal): Violation[] {
  const { wiring, plan, deployed } = proposal;
  const others = wiring.filter(({ member }) => !member);
  const acting = others.filter(({ address }) => !READS.test(address)).map((each) => withData(each, others));
  const changed = (plan?.resources ?? []).filter(
    (planned) => !parseAddress(planned.address) && !isUnchanged(planned),
  );
  const planned = changed.map(({ address, after }) => ({ address, body: after }));
  const hosts = new Map(
    [...deployed.groups.values()].flatMap(({ hosts }) => hosts.map(({ id, name }) => [id, name] as const)),
  );
  const idsIn = ({ body }: Block): string[] =>
    textsIn(body).flatMap((text) =>
      (text.match(/[\w-]+/g) ?? []).flatMap((id) => (hosts.has(id) ? `${id}, ${hosts.get(id) ?? ""}` : [])),
    );
  return [
    ...refuse("unattributed-change", described(others, runsOf), {
      message: "what belongs to no group would run a program",
      remedy: "remove that: run it beside Terraform, in a job of its own",
    }),
    ...refuse("unattributed-change", described(acting, membersIn), {
      message: "what belongs to no group names members of groups",
      remedy: "look machines up by tag where they are needed, or publish what is needed of them as an output",
    }),
    ...refuse("unattributed-change", described([...acting, ...planned], idsIn), {
      message: "what belongs to no group names machines of groups by id",
      remedy: "look machines up by tag where they are needed: an id ends with the next roll",
    }),
  ];
}

function runsOf({ address, provisioners, acts }: Wiring): string[] {
  return [
    ...(provisioners.length > 0 ? ["provisioner"] : []),
    ...acts,
    ...(RUNS.test(address) ? ["program"] : []),
  ];
}

/** These run a program, or have one run, whenever a plan is made. */
const RUNS = /^data\.(external|local_command|shell_script|aws_lambda_invocation)\./;

/** These do nothing but read, so what they read of a group is judged where it is used. */
const READS = /^data\.(aws_|terraform_remote_state\.)/;

/** What a block names and is given through data sources, it names and is given itself. */
function withData(block: Wiring, others: readonly Wiring[]): Wiring {
  const read = new Set<Wiring>();
  const add = ({ references, after }: Wiring): void => {
    const named = new Set([...references, ...after.flatMap(namesIn)].map(addressIn));
    for (const each of others) {
      if (!READS.test(each.address) || !named.has(each.address) || read.has(each)) continue;
      read.add(each);
      add(each);
    }
  };
  add(block);
  const all = [block, ...read];
  return {
    ...block,
    references: all.flatMap(({ references }) => references),
    after: all.flatMap(({ after }) => after),
    body: all.map(({ body }) => body),
  };
}

const membersIn = ({ references, after }: Wiring): string[] =>
  [...references, ...after.flatMap(namesIn)].map(addressIn).filter(parseAddress);

/** Blocks with what is wrong with them, each once. */
function described<T extends Block>(blocks: readonly T[], whyOf: (block: T) => string[]): string[] {
  const found = new Map<string, string>();
  for (const block of blocks) {
    const why = [...new Set(whyOf(block))].sort();
    if (why.length > 0) found.set(block.address, `${block.address} (${listed(why)})`);
  }
  return [...found.values()];
}
