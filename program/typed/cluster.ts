import { join } from "node:path";
import { Token } from "cdktf";
import type { Construct, IConstruct } from "constructs";
import { UserError } from "../../cluster/user-error.js";
import { checkSpec } from "../../cluster/yaml/load.js";
import { withUserData } from "../../cluster/yaml/user-data-files.js";
import { formatPath, SpecError, type Problem } from "../../cluster/yaml/problem.js";
import { DESIRED, filesIn } from "../read-spec.js";
import { ClusterBase } from "./cluster-base.js";
import type { Asking, Desired } from "./desired.js";
import type { BackendProps, Place } from "./places.js";

/** On these days, from a time to a time of a zone's clock; to the next day where `to` is not after `from`. */
export interface WindowProps {
  readonly days: readonly ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
  /** `22:00` */
  readonly from: string;
  /** `05:00` */
  readonly to: string;
  /** `Europe/Berlin` */
  readonly zone: string;
}

/** In which order and at which pace groups are rolled. */
export interface RolloutProps {
  /** `one`: more than one pending group does not synthesize; `queue`: they are rolled one after another. Default: one. */
  readonly pendingGroups?: "one" | "queue";
  /** Pools and groups that are rolled first. Default: Consul servers, Nomad servers, client pools. */
  readonly order?: readonly string[];
  /** How long to wait between two groups, up to 168h. Default: 0s. */
  readonly interval?: string;
  /** Groups after which a roll waits for `rollout resume`. Default: none. */
  readonly pauseAfter?: readonly string[];
  /** Every group waits for `rollout resume`. Default: false. */
  readonly manual?: boolean;
  /** When a group may begin; one that has begun is finished. Default: at any time. */
  readonly windows?: readonly WindowProps[];
  /** What becomes of a group that does not become ready; `undo` edits the spec, so it is for YAML alone. Default: stop. */
  readonly onFailure?: "stop" | "undo";
  /** Resources of your own by construct path; what is not named is refused. Default: all that the program declares. */
  readonly ownResources?: readonly string[];
  /** How many revisions a group keeps, 1 to 100. Default: 10. */
  readonly revisionHistoryLimit?: number;
}

export interface ClusterProps {
  /** {@link aws} or {@link local}. */
  readonly on: Place;
  /** {@link s3} or {@link file}. */
  readonly backend: BackendProps;
  readonly rollout?: RolloutProps;
  /** `off` allows a deliberate teardown. Default: on. */
  readonly protection?: "on" | "off";
}

/** What a pool says of itself to its cluster. */
interface Declared extends IConstruct {
  readonly name: string;
  readonly props: object;
}

/**
 * A cluster, declared once: its pools are constructs within it, and its views are stacks that are made from it when the app is
 * synthesized.
 */
export class Cluster extends ClusterBase {
  private readonly pools: Declared[] = [];

  /** The cluster that a construct belongs to. @throws UserError where it belongs to none */
  static of(construct: IConstruct): Cluster {
    const found = construct.node.scopes.findLast((scope) => scope instanceof ClusterBase);
    if (found instanceof Cluster) return found;
    throw new UserError(
      found
        ? `${found.node.path} is declared by a YAML, and so are all of its pools; declare them there, under pools`
        : `${construct.node.path || "the app"} is in no cluster; declare it within one: new Cluster(app, NAME, { on, backend })`,
      2,
    );
  }

  /** @param name at most 24 lower-case letters, digits and single hyphens; it stands in tags and must not change */
  constructor(
    scope: Construct,
    readonly name: string,
    private readonly props: ClusterProps,
  ) {
    super(scope, name);
  }

  /** @internal For a pool, which says so itself. */
  add(pool: Declared): void {
    this.pools.push(pool);
  }

  /** @internal */
  source({ folder, ownResources }: Asking): Desired {
    const { on, backend, rollout, protection } = this.props;
    const pools = Object.fromEntries(this.pools.map(({ name, props }) => [name, props]));
    const limited = rollout?.ownResources;
    const own = ownResources.length > 0 ? { ...rollout, ownResources: limited ?? ownResources } : rollout;
    const declared = { name: this.name, ...on, backend, pools, rollout: own, protection };
    const problems = [...this.twice(), ...tokensIn(declared), ...undoOf(rollout)];
    if (problems.length > 0) throw new SpecError(this.where, problems);
    const desired = `${JSON.stringify(declared, null, 2)}\n`;
    const value: unknown = JSON.parse(desired);
    const checked = checkSpec({ value, lineOf: () => undefined }, this.where);
    const spec = withUserData(checked, this.where, filesIn(folder));
    return { spec, file: join(folder, DESIRED), shown: DESIRED, isExample: false, desired };
  }

  private get where(): string {
    return `cluster ${this.name}`;
  }

  /** In two constructs of one name each would be a path of its own. */
  private twice(): Problem[] {
    return this.pools.flatMap(({ name, node }, index) => {
      const first = this.pools.findIndex((each) => each.name === name);
      const message = `declared twice, as ${this.pools[first]?.node.path ?? ""} and as ${node.path}; expected one pool of each name`;
      return first === index ? [] : [{ path: formatPath(["pools", name]), message }];
    });
  }
}

/** It would be an edit of the code. */
const undoOf = (rollout?: RolloutProps): Problem[] =>
  rollout?.onFailure === "undo"
    ? [
        {
          path: "rollout.onFailure",
          message: 'got "undo"; expected stop, since nobody edits a program: undo a group in the code',
        },
      ]
    : [];

/** What only Terraform will know is compared with nothing, and what is no JSON cannot be written down. */
function tokensIn(
  value: unknown,
  path: readonly (string | number)[] = [],
  above: readonly object[] = [],
): Problem[] {
  const found = (message: string): Problem[] => [{ path: formatPath(path), message }];
  if (Token.isUnresolved(value))
    return found(
      "got a token, which only Terraform knows once it runs; expected the value itself, since a view is compared with the state before",
    );
  if (typeof value === "bigint") return found(`got ${String(value)}n; expected a number, without n`);
  if (typeof value !== "object" || value === null) return [];
  if (above.includes(value)) return found("got an object that holds itself; expected plain values");
  return Object.entries(value).flatMap(([key, each]) =>
    tokensIn(each, [...path, Array.isArray(value) ? Number(key) : key], [...above, value]),
  );
}
