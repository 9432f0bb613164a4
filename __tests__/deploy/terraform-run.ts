/** How one run of Terraform went, by its machine-readable output (`-json`). */
export interface TerraformRun {
  readonly exitCode: number;
  /** What happened to managed resources, in this order. */
  readonly events: readonly TerraformEvent[];
  /** What a plan would do, as `replace terraform_data.broker-0-0`. */
  readonly planned: readonly string[];
  /** Everything that went wrong, on one line each: `summary: detail`. */
  readonly errors: readonly string[];
  /** What Terraform and the hooks said about hooks that ran, line by line. */
  readonly hooks: readonly string[];
}

export interface TerraformEvent {
  readonly address: string;
  readonly action: "create" | "update" | "delete";
  readonly phase: "start" | "complete" | "errored";
}

interface Line {
  readonly type?: string;
  readonly change?: { readonly action: string; readonly resource: { readonly addr: string } };
  readonly hook?: {
    readonly resource: { readonly addr: string };
    readonly action?: string;
    readonly output?: string;
  };
  readonly diagnostic?: { readonly severity: string; readonly summary: string; readonly detail?: string };
}

/** Reads what `terraform apply -json` printed. */
export function readRun(exitCode: number, stdout: string): TerraformRun {
  const lines = stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Line);
  return {
    exitCode,
    events: lines.flatMap(eventOf),
    planned: lines.flatMap(({ type, change }) =>
      type === "planned_change" && change ? [`${change.action} ${change.resource.addr}`] : [],
    ),
    errors: lines.flatMap(({ diagnostic }) =>
      diagnostic?.severity === "error" ? [oneLine(diagnostic.summary, diagnostic.detail)] : [],
    ),
    hooks: lines.flatMap(({ hook }) => (hook?.output === undefined ? [] : [hook.output])),
  };
}

function eventOf({ type, hook }: Line): TerraformEvent[] {
  const phase = /^apply_(start|complete|errored)$/.exec(type ?? "")?.[1];
  if (phase === undefined || hook?.action === undefined || hook.action === "read") return [];
  return [{ address: hook.resource.addr, action: hook.action, phase } as TerraformEvent];
}

const oneLine = (summary: string, detail = ""): string =>
  [summary, detail.replace(/\s+/g, " ").trim()].filter((part) => part !== "").join(": ");

/** The events of a run that match, as `create terraform_data.broker-0-0`, in the order in which they were complete. */
export function completed({ events }: TerraformRun, pattern: RegExp): string[] {
  return events
    .filter(({ phase }) => phase === "complete")
    .map(({ action, address }) => `${action} ${address}`)
    .filter((event) => pattern.test(event));
}

/** The place of an event in a run; fails for one that did not happen. */
export function placeOf(
  { events }: TerraformRun,
  phase: TerraformEvent["phase"],
  action: TerraformEvent["action"],
  address: string,
): number {
  const place = events.findIndex(
    (event) => event.address === address && event.action === action && event.phase === phase,
  );
  if (place === -1)
    throw new Error(`no ${phase} of ${action} of ${address} among ${String(events.length)} events`);
  return place;
}
