import type { Raft } from "../raft.js";
import type { ConsulAgent, LocalService } from "./agent.js";

export interface Check {
  readonly id: string;
  readonly name: string;
  status: string;
  readonly notes: string;
  output: string;
  readonly type: string;
  readonly service: CatalogService | undefined;
  readonly createIndex: number;
  modifyIndex: number;
}

export interface CatalogService {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly port: number;
  readonly address: string;
  readonly createIndex: number;
  readonly modifyIndex: number;
}

export interface CatalogNode {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly services: Map<string, CatalogService>;
  readonly checks: Map<string, Check>;
  readonly createIndex: number;
  modifyIndex: number;
}

interface NodeToRegister {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly meta: Readonly<Record<string, string>>;
}

/** Nodes, their services and their checks, as the servers hold them; what an agent knows of itself is not here yet. */
export class Catalog {
  readonly nodes = new Map<string, CatalogNode>();
  /** The index of the last change to anything in here. */
  index = 1;

  constructor(private readonly raft: Raft) {}

  clear(): void {
    this.nodes.clear();
    this.#changed();
  }

  /**
   * Enters a node, and answers whether it could: a name belongs to the id that has it for as long as that one's
   * serfHealth passes. So an agent that was killed and is back empty before anybody noticed never gets in.
   */
  enter(node: NodeToRegister): CatalogNode | undefined {
    const before = this.nodes.get(node.name);
    if (before && before.id !== node.id) {
      if (before.id !== "" && before.checks.get(SERF_HEALTH)?.status === "passing") return undefined;
      this.nodes.delete(node.name);
    }
    const same = this.nodes.get(node.name);
    if (same?.address === node.address && sameRecord(same.meta, node.meta)) return same;
    const index = this.#changed();
    const entered: CatalogNode = {
      ...node,
      services: same?.services ?? new Map<string, CatalogService>(),
      checks: same?.checks ?? new Map<string, Check>(),
      createIndex: same?.createIndex ?? index,
      modifyIndex: index,
    };
    this.nodes.set(node.name, entered);
    return entered;
  }

  remove(name: string): void {
    if (this.nodes.delete(name)) this.#changed();
  }

  setSerfHealth(name: string, passing: boolean): void {
    const node = this.nodes.get(name);
    if (!node) return;
    this.setCheck(node, {
      id: SERF_HEALTH,
      name: "Serf Health Status",
      status: passing ? "passing" : "critical",
      notes: "",
      output: passing ? "Agent alive and reachable" : "Agent not live or unreachable",
      type: "",
      service: undefined,
    });
  }

  setCheck(node: CatalogNode, check: Omit<Check, "createIndex" | "modifyIndex">): void {
    const before = node.checks.get(check.id);
    if (before?.status === check.status && before.output === check.output && before.notes === check.notes)
      return;
    const index = this.#changed();
    node.checks.set(check.id, { ...check, createIndex: before?.createIndex ?? index, modifyIndex: index });
  }

  removeCheck(node: CatalogNode, id: string): void {
    if (node.checks.delete(id)) this.#changed();
  }

  setService(
    node: CatalogNode,
    service: Omit<CatalogService, "createIndex" | "modifyIndex">,
  ): CatalogService {
    const before = node.services.get(service.id);
    if (before && isSameService(before, service)) return before;
    const index = this.#changed();
    const entered = { ...service, createIndex: before?.createIndex ?? index, modifyIndex: index };
    node.services.set(service.id, entered);
    return entered;
  }

  removeService(node: CatalogNode, id: string): void {
    if (!node.services.delete(id)) return;
    for (const check of [...node.checks.values()]) if (check.service?.id === id) node.checks.delete(check.id);
    this.#changed();
  }

  /** Brings a node's services and checks to what its agent knows. */
  takeOver(node: CatalogNode, agent: ConsulAgent): void {
    for (const id of [...node.services.keys()])
      if (id !== "consul" && !agent.services.has(id)) this.removeService(node, id);
    for (const local of agent.services.values()) this.#takeOverService(node, local);
    if (agent.maintenance === undefined) this.removeCheck(node, NODE_MAINTENANCE);
    else
      this.setCheck(node, {
        id: NODE_MAINTENANCE,
        name: "Node Maintenance Mode",
        status: "critical",
        notes: agent.maintenance,
        output: "",
        type: "maintenance",
        service: undefined,
      });
  }

  #takeOverService(node: CatalogNode, local: LocalService): void {
    const service = this.setService(node, local);
    if (local.check)
      this.setCheck(node, {
        id: `service:${local.id}`,
        name: `Service '${local.name}' check`,
        status: local.check.status,
        notes: "",
        output: "",
        type: local.check.type,
        service,
      });
    const maintenance = `_service_maintenance:${local.id}`;
    if (local.maintenance === undefined) this.removeCheck(node, maintenance);
    else
      this.setCheck(node, {
        id: maintenance,
        name: "Service Maintenance Mode",
        status: "critical",
        notes: local.maintenance,
        output: "",
        type: "maintenance",
        service,
      });
  }

  #changed(): number {
    this.index = this.raft.next();
    return this.index;
  }
}

export const SERF_HEALTH = "serfHealth";
const NODE_MAINTENANCE = "_node_maintenance";

const sameRecord = (
  one: Readonly<Record<string, string>>,
  other: Readonly<Record<string, string>>,
): boolean => JSON.stringify(one) === JSON.stringify(other);

const isSameService = (
  before: CatalogService,
  after: Omit<CatalogService, "createIndex" | "modifyIndex">,
): boolean =>
  before.name === after.name &&
  before.port === after.port &&
  before.address === after.address &&
  before.tags.join() === after.tags.join() &&
  sameRecord(before.meta, after.meta);
