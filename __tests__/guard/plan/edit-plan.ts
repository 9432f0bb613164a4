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

/** The four places of a plan that say what is there and what becomes of it. */
export const PLACES = ["changes", "planned", "prior", "declared"] as const;

export type Place = (typeof PLACES)[number];

/** What `terraform show -json` printed, by its parts. */
export class PlanParts {
  json: Record<string, unknown>;

  constructor(text: string) {
    this.json = JSON.parse(text) as Record<string, unknown>;
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
  drop(address: string, ...places: Place[]): this {
    const isWanted = (place: Place): boolean => places.length === 0 || places.includes(place);
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

  /** The root module of one of the parts that hold values. */
  values(key: "planned_values" | "prior_state"): Module {
    const part = this.json[key] as { root_module?: Module; values?: { root_module: Module } };
    const module = part.root_module ?? part.values?.root_module;
    if (!module) throw new Error(`no module in ${key}`);
    // Where nothing is there, Terraform lists nothing.
    return Object.assign(module, { resources: (module.resources as Module["resources"] | undefined) ?? [] });
  }

  /** Puts resources into a module of the user's own. */
  addModule(key: "planned_values" | "prior_state", resources: Module["resources"]): void {
    const module = this.values(key) as { child_modules?: unknown[] };
    (module.child_modules ??= []).push({ address: "module.own", resources });
  }
}

/** A plan of a fixture, to be edited as somebody would who wants it accepted. */
export class EditedPlan extends PlanParts {
  private readonly fixture: PlanFixture;

  /** @param edit what it is judged against, where that is otherwise than when it was made */
  constructor(name: string, edit: (fixture: PlanFixture) => Partial<PlanFixture> = () => ({})) {
    const fixture = readFixture(name);
    super(fixture.plan);
    this.fixture = { ...fixture, ...edit(fixture) };
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
}
