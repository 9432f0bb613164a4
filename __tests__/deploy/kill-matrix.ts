/** What a roll is that is cut off: the five values of a case, which are its title. */
export const VALUES = {
  /** Who applies: `rollout deploy`, plain `terraform apply` of what was synthesized, or `cdktf deploy`. */
  runner: ["driver", "apply", "cdktf"],
  /** What is rolled: clients with volumes and a load balancer, a server, a machine at a time, or back after a roll was cut off. */
  kind: ["clients", "nomad-server", "consul-server", "batch", "undo"],
  /** What ends it. `twice`: all of it is killed, and once more at the same hook while the command runs again. */
  signal: ["kill runner", "kill terraform", "kill all", "SIGINT twice", "kill all twice"],
  /** At which hook. `record` is what writes the revision. */
  hook: ["leave", "stop-agents", "start-agents", "configure-consul", "ready", "record"],
  /** Where the state is. `s3` writes it every 20 s, so it knows nothing of what an apply has done that is killed before. */
  backend: ["local", "s3", "ec2"],
} as const;

export type Dimension = keyof typeof VALUES;

export type Case = { readonly [D in Dimension]: (typeof VALUES)[D][number] };

/** What makes no sense, and why. */
const EXCLUDED: readonly (readonly [Partial<Readonly<Record<Dimension, readonly string[]>>>, why: string])[] =
  [
    [{ runner: ["apply"], signal: ["kill runner"] }, "Terraform is what runs: it is killed as Terraform"],
    [
      { runner: ["apply", "cdktf"], kind: ["batch"] },
      "one view replaces the whole group: batches are the driver's",
    ],
    [
      { runner: ["apply", "cdktf"], hook: ["record"], signal: ["kill all twice"] },
      "no hook writes a revision there, so it may be written already",
    ],
    [{ runner: ["driver"], backend: ["ec2"] }, "it asks agents, and the machines of moto have none"],
    [
      { hook: ["stop-agents", "start-agents"], backend: ["ec2"] },
      "machines of EC2 start their agents themselves",
    ],
  ];

const DIMENSIONS = Object.keys(VALUES) as Dimension[];

/** Every combination that makes sense, in the order of the values. */
export function allowed(): Case[] {
  return DIMENSIONS.reduce<Partial<Case>[]>(
    (begun, dimension) =>
      begun.flatMap((each) => VALUES[dimension].map((value) => ({ ...each, [dimension]: value }))),
    [{}],
  )
    .map((each) => each as Case)
    .filter((each) => !EXCLUDED.some(([values]) => fits(each, values)));
}

const fits = (each: Case, values: (typeof EXCLUDED)[number][0]): boolean =>
  DIMENSIONS.every((dimension) => values[dimension]?.includes(each[dimension]) ?? true);

/** The combinations of so many values in a case. */
export function tuples(each: Case, size: number): string[] {
  const some = DIMENSIONS.reduce<string[][]>(
    (begun, dimension) => [
      ...begun,
      ...begun.map((chosen) => [...chosen, `${dimension}=${each[dimension]}`]),
    ],
    [[]],
  );
  return some.filter(({ length }) => length === size).map((chosen) => chosen.join(", "));
}

/**
 * So many cases, the same ones always: each is the one that has the most pairs of values that none before it has, then the most
 * triples. All pairs come first, so that the first few of them are the widest choice of few.
 */
function matrix(least: number): Case[] {
  const all = allowed().map((each) => ({ each, pairs: tuples(each, 2), triples: tuples(each, 3) }));
  const seen = new Set<string>();
  const pairs = new Set(all.flatMap((one) => one.pairs));
  const cases: Case[] = [];
  const left = new Set(all);
  const unseen = (list: readonly string[]): number => list.filter((tuple) => !seen.has(tuple)).length;
  while (cases.length < least || [...pairs].some((pair) => !seen.has(pair))) {
    let [best, most] = [all[0], -1];
    for (const one of left) {
      const gain = unseen(one.pairs) * 100 + unseen(one.triples);
      if (gain > most) [best, most] = [one, gain];
    }
    if (best === undefined) break;
    left.delete(best);
    cases.push(best.each);
    for (const tuple of [...best.pairs, ...best.triples]) seen.add(tuple);
  }
  return cases;
}

/** The cases of the long form. */
export const CASES: readonly Case[] = matrix(120);

/** How many of each state are in the short form: those beside the spec are the fastest, one on EC2 takes minutes. */
const SHORT: Readonly<Record<Case["backend"], number>> = { local: 10, s3: 2, ec2: 0 };

/** Whether a case is one of the twelve of the short form. */
export const isShort = (each: Case): boolean =>
  CASES.filter(({ backend }) => backend === each.backend).indexOf(each) < SHORT[each.backend];

export const titleOf = ({ runner, kind, signal, hook, backend }: Case): string =>
  `${runner}, ${kind}: ${signal} at ${hook}, state ${backend}`;
