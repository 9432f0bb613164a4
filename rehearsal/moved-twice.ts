/** A piece of work on a machine, as Nomad lists it. */
export interface Work {
  /** Of the allocation. */
  readonly id: string;
  /** `web.g[0]` */
  readonly name: string;
  /** The id of the node: a machine that is replaced comes back under another. */
  readonly node: string;
  /** The machine's name. */
  readonly host: string;
  /** The id of the allocation that it follows; empty for none. */
  readonly previous: string;
  readonly runs: boolean;
}

export interface Moves {
  /** How many allocations took the place of another. */
  readonly moved: number;
  /** Work that was moved more than once, or onto a machine that was about to go: `web.g[0]: broker-0-0 -> broker-0-1 -> …`. */
  readonly twice: readonly string[];
  /** Work that ran on a machine which went, and that neither another follows nor any of its name. */
  readonly missing: readonly string[];
}

/**
 * How the work of a cluster was moved while one group was rolled.
 * @param before what there was when the roll began
 * @param after what there was when it had ended, all of `before` included as far as Nomad still knows it
 * @param going the ids of the nodes that went
 */
export function movesOf(before: readonly Work[], after: readonly Work[], going: ReadonlySet<string>): Moves {
  const old = new Map(before.map((work) => [work.id, work]));
  const all = new Map([...old, ...after.map((work) => [work.id, work] as const)]);
  const moves = after.filter(({ id, previous }) => !old.has(id) && previous !== "");
  const followed = new Set(moves.map(({ previous }) => previous));
  // Work that had to wait for its machine is placed anew, which Nomad links to nothing.
  const again = new Set(after.flatMap(({ id, name, runs }) => (runs && !old.has(id) ? [name] : [])));
  const chains = moves
    .filter(({ id }) => !followed.has(id))
    .map((last) => chainOf(last, all, old))
    .filter((chain) => chain.length > 2 || chain.slice(1).some(({ node }) => going.has(node)));
  return {
    moved: moves.length,
    missing: before
      .filter(({ id, name, node, runs }) => runs && going.has(node) && !followed.has(id) && !again.has(name))
      .map(({ name, host }) => `${name} on ${host}`)
      .sort(),
    twice: chains
      .map((chain) => `${chain[0]?.name ?? ""}: ${chain.map(({ host }) => host).join(" -> ")}`)
      .sort(),
  };
}

/** From where the work was when the roll began to where it is now. */
function chainOf(last: Work, all: ReadonlyMap<string, Work>, old: ReadonlyMap<string, Work>): Work[] {
  const chain = [last];
  for (let first = last; !old.has(first.id);) {
    const previous = all.get(first.previous);
    if (previous === undefined) break;
    chain.unshift(previous);
    first = previous;
  }
  return chain;
}
