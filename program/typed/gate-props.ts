/** What is asked or run: by HTTP or by a program, one of `http` and `command`. Durations are such as `90s`, `15m`, `1h`. */
export interface ActionProps {
  /** In lower-case letters, digits and single hyphens, at most 40 characters; it stands in the output while it is waited for. */
  readonly name: string;
  /** A URL to GET. `{host}`, `{address}` and `{group}`, in other scopes `{hosts}` and `{addresses}`, are filled in. */
  readonly http?: string;
  /** Of `http`: the status that is expected. Default: 200. */
  readonly status?: number;
  /** Of `http`: a text that the answer has to contain. Default: any answer will do. */
  readonly contains?: string;
  /** Of `http`: headers, each with the environment variable that holds its value. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A program and its arguments, run where rollout runs, without a shell; placeholders as in `http`. */
  readonly command?: readonly string[];
  /** Of `command`: the exit code and a text of standard output that are expected. Default: exit code 0, any output. */
  readonly expect?: { readonly exitCode?: number; readonly contains?: string };
  /** Of `command`: the environment variables that it gets besides PATH, HOME, LANG, TMPDIR and proxies. Default: none. */
  readonly env?: readonly string[];
  /** Each machine, the group at once, or all of its pool. Default: machine. */
  readonly scope?: "machine" | "group" | "pool";
  /** How long one try may take, 1s to 5m. Default: 5s. */
  readonly timeout?: string;
}

/** Something of a pool's own that has to be so before and after a group leaves. */
export interface CheckProps extends ActionProps {
  /** The pause between two tries, 1s to 10m. Default: 5s. */
  readonly interval?: string;
  /** `after`: it is not asked before a group leaves. Default: before and after. */
  readonly when?: "after";
}

/** Something that is run once in each roll of a group, and again by a rerun. */
export interface StepProps extends ActionProps {
  /** What follows a failure. Default: stop. */
  readonly onFailure?: "stop" | "continue";
  /** Run for the same once the roll of the group has ended. Default: none. */
  readonly undo?: Omit<ActionProps, "name" | "scope">;
}

/** What a new group has to be, and what is run around its roll; of every pool. */
export interface GateProps {
  readonly ready?: {
    /** How long a new group may take to become ready, bake time not counted, 10s to 24h. Default: 15m. */
    readonly timeout?: string;
    /** All have to pass. Default: none. */
    readonly checks?: readonly CheckProps[];
  };
  readonly bake?: {
    /** How long a group has to stay ready without a break, up to 24h. Default: 30s. */
    readonly time?: string;
    /** The same for the first group of a pool that is rolled to an image; at least `time`. Default: as `time`. */
    readonly first?: string;
  };
  /** Run one by one: before anything leaves, when its work has left, when its gate has passed. Default: none. */
  readonly steps?: {
    readonly beforeLeave?: readonly StepProps[];
    readonly afterLeave?: readonly StepProps[];
    readonly afterReady?: readonly StepProps[];
  };
}
