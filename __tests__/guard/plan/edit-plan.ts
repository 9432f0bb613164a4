import { formatViolation } from "../../../guard/verdict.js";
import { judge, readFixture, type PlanFixture } from "./plan-fixture.js";

export interface Entry {
  address: string;
  mode: string;
  type: string;
  name: string;
  deposed?: string;
  previous_address?: string;
  change: { actions: string[]; before: Values | null; after: Values | null; [key: string]: unknown };
  [key: string]: unknown;
}

export type Values = Record<string, unknown>;

interface Module {
  resources: { address: string; values?: unknown; [key: string]: unknown }[];
}

/** A plan of Terraform's, to be edited as somebody would who wants it accepted. */
export class EditedPlan {
  private readonly fixture: PlanFixture;
  readonly json: Record<string, unknown>;

  /** @param edit what it is judged against, where that is otherwise than when it was made */
  constructor(name: string, edit: (fixture: PlanFixture) => Partial<PlanFixture> = () => ({})) {
    const fixture = readFixture(name);
    this.fixture = { ...fixture, ...edit(fixture) };
    this.json = JSON.parse(this.fixture.plan) as Record<string, unknown>;
  }

  get entries(): Entry[] {
    return this.json["resource_changes"] as Entry[];
  }

  get root(): Module & Record<string, unknown> {
    return (this.json["configuration"] as { root_module: Module & Record<string, unknown> }).root_module;
  }

  entry(address: string): Entry {
    const found = this.entries.find((entry) => entry.address === address);
    if (!found) throw new Error(`no entry ${address}`);
    return found;
  }

  /** What changes of a group, by the plan. */
  changing(group: string): Entry[] {
    return this.entries.filter(({ name, change }) => name.startsWith(group) && change.actions[0] !== "no-op");
  }

  /** Leaves an address out wherever the plan names it, or in some of these places. */
  drop(address: string, ...places: ("changes" | "planned" | "prior" | "declared")[]): this {
    const isWanted = (place: (typeof places)[number]): boolean =>
      places.length === 0 || places.includes(place);
    const isOther = (each: { address: string }): boolean => each.address !== address;
    if (isWanted("changes")) this.json["resource_changes"] = this.entries.filter(isOther);
    for (const [place, key] of [
      ["planned", "planned_values"],
      ["prior", "prior_state"],
    ] as const) {
      const module = this.values(key);
      if (isWanted(place)) module.resources = module.resources.filter(isOther);
    }
    if (isWanted("declared")) this.root.resources = this.root.resources.filter(isOther);
    return this;
  }

  /** The values of an address as they will be, or as they are. */
  valuesOf(key: "planned_values" | "prior_state", address: string): { values?: unknown } {
    return this.values(key).resources.find((each) => each.address === address) ?? {};
  }

  /** What the guard says of it now: the whole text, or nothing where it is accepted. */
  violations(): string[] {
    return judge(this.fixture, JSON.stringify(this.json)).violations.map((violation) =>
      formatViolation(violation).replace(
        /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\bi-[0-9a-f]{17}/g,
        "<id>",
      ),
    );
  }

  touched(): readonly string[] {
    return judge(this.fixture, JSON.stringify(this.json)).touched;
  }

  private values(key: "planned_values" | "prior_state"): Module {
    const part = this.json[key] as { root_module?: Module; values?: { root_module: Module } };
    const module = part.root_module ?? part.values?.root_module;
    if (!module) throw new Error(`no module in ${key}`);
    return module;
  }
}
