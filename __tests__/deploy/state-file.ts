/** A Terraform state file as Terraform wrote it: the tests read it by themselves, not by the program's own reader. */
export interface StateFile {
  readonly serial: number;
  readonly lineage: string;
  readonly resources: readonly StateResource[];
}

interface StateResource {
  readonly mode: string;
  readonly type: string;
  readonly name: string;
  readonly instances: readonly {
    readonly status?: string;
    readonly deposed?: string;
    readonly attributes: Readonly<Record<string, unknown>>;
  }[];
}

/** The id of every managed resource, by its address. */
export function idsOf(state: StateFile): ReadonlyMap<string, string> {
  return new Map(
    managed(state).flatMap(({ type, name, instances }) =>
      instances.map(({ attributes }) => [`${type}.${name}`, String(attributes["id"])] as const),
    ),
  );
}

/** The attributes of one managed resource; fails when the state does not hold it. */
export function attributesOf(state: StateFile, address: string): Readonly<Record<string, unknown>> {
  const found = managed(state).find(({ type, name }) => `${type}.${name}` === address)?.instances[0];
  if (found === undefined) throw new Error(`the state does not hold ${address}`);
  return found.attributes;
}

/** What a run made of a state, by the ids of its resources. All lists are sorted. */
export interface StateDifference {
  readonly created: readonly string[];
  readonly replaced: readonly string[];
  readonly gone: readonly string[];
}

export function differenceOf(before: StateFile, after: StateFile): StateDifference {
  const [old, now] = [idsOf(before), idsOf(after)];
  return {
    created: [...now.keys()].filter((address) => !old.has(address)).sort(),
    replaced: [...now]
      .flatMap(([address, id]) => (old.has(address) && old.get(address) !== id ? [address] : []))
      .sort(),
    gone: [...old.keys()].filter((address) => !now.has(address)).sort(),
  };
}

/** The triggers of a hook, on either platform. */
export function triggersOf(state: StateFile, address: string): Readonly<Record<string, string>> {
  const { triggers, triggers_replace: replace } = attributesOf(state, address) as {
    triggers?: Record<string, string>;
    triggers_replace?: { value: Record<string, string> };
  };
  return triggers ?? replace?.value ?? {};
}

/** One entry of a group's history, as the state holds it. */
export interface RecordedRevision {
  readonly number: number;
  readonly image: string;
  readonly hash: string;
  readonly generation: number;
  readonly cause: string;
}

/** The revisions that the state records of a group, oldest first. */
export function revisionsOf(state: StateFile, group: string): readonly RecordedRevision[] {
  const { input } = attributesOf(state, `terraform_data.${group}-revision`) as {
    input: { value: { revisions: RecordedRevision[] } };
  };
  return input.value.revisions;
}

/** What the state records of a group's hooks as ended. */
export function completedOf(state: StateFile, group: string): unknown {
  const { input } = attributesOf(state, `terraform_data.${group}-revision`) as {
    input: { value: { completed?: unknown } };
  };
  return input.value.completed;
}

const managed = ({ resources }: StateFile): StateResource[] =>
  resources.filter(({ mode }) => mode === "managed");
