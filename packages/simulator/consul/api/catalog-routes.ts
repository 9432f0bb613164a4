import * as z from "zod";
import { json, text, type Reply } from "../../answer.js";
import { isBefore } from "../../version.js";
import { denied } from "../access.js";
import { SERF_HEALTH, type CatalogNode, type CatalogService, type Check } from "../catalog.js";
import {
  atLeader,
  bodyJson,
  read,
  type ConsulCall,
  type ConsulContext,
  type ConsulRoute,
} from "./context.js";

/** What the servers know of nodes, services and checks. Without rights the lists are empty, and the answer is 200. */
export const catalogRoutes: readonly ConsulRoute[] = [
  {
    methods: ["GET"],
    path: "/v1/catalog/nodes",
    handle: (call) => read(call, indexOf(call), () => nodes(call.agent).map(nodeView)),
  },
  {
    methods: ["GET"],
    path: "/v1/catalog/node/:name",
    handle: (call) =>
      read(call, indexOf(call), () => {
        const node = nodes(call.agent).find(({ name }) => name === call.part("name"));
        if (!node) return null;
        const services = [...node.services.values()].map((service) => [service.id, serviceView(service)]);
        return { Node: nodeView(node), Services: Object.fromEntries(services) as Record<string, unknown> };
      }),
  },
  {
    methods: ["GET"],
    path: "/v1/catalog/services",
    handle: (call) =>
      read(call, indexOf(call), () => {
        const tags = new Map<string, Set<string>>();
        for (const service of nodes(call.agent).flatMap((node) => [...node.services.values()]))
          tags.set(service.name, new Set([...(tags.get(service.name) ?? []), ...service.tags]));
        return Object.fromEntries([...tags].map(([name, each]) => [name, [...each]]));
      }),
  },
  {
    methods: ["GET"],
    path: "/v1/catalog/service/:name",
    handle: (call) =>
      read(call, indexOf(call), () =>
        nodesWith(call).map(({ node, service }) => flatServiceView(node, service)),
      ),
  },
  { methods: ["GET"], path: "/v1/catalog/datacenters", handle: () => json(["dc1"]) },
  { methods: ["PUT"], path: "/v1/catalog/register", handle: register },
  { methods: ["PUT"], path: "/v1/catalog/deregister", handle: deregister },
  {
    methods: ["GET"],
    path: "/v1/health/node/:name",
    handle: (call) =>
      read(call, indexOf(call), () => {
        const node = nodes(call.agent).find(({ name }) => name === call.part("name"));
        return node ? [...node.checks.values()].map((check) => checkView(node, check)) : [];
      }),
  },
  {
    methods: ["GET"],
    path: "/v1/health/state/:state",
    handle: (call) => {
      const filter = nodeFilter(call.request.query.get("filter"));
      if (!filter) return text(500, "the simulator knows no such filter");
      return read(call, indexOf(call), () =>
        nodes(call.agent)
          .filter(({ name }) => filter.test(name))
          .flatMap((node) =>
            [...node.checks.values()]
              .filter(({ status }) => call.part("state") === "any" || status === call.part("state"))
              .map((check) => checkView(node, check)),
          ),
      );
    },
  },
  {
    methods: ["GET"],
    path: "/v1/health/service/:name",
    handle: (call) =>
      read(call, indexOf(call), () =>
        nodesWith(call)
          .map(({ node, service }) => ({ node, service, checks: checksOf(node, service) }))
          .filter(
            ({ checks }) =>
              !call.request.query.has("passing") || checks.every(({ status }) => status === "passing"),
          )
          .map(({ node, service, checks }) => ({
            Node: nodeView(node),
            Service: healthServiceView(service, call.agent.consul.version),
            Checks: checks.map((check) => checkView(node, check)),
          })),
      ),
  },
];

const indexOf = (call: ConsulCall) => () => call.agent.consul.catalog.index;

/** The nodes that the token may see, the asked agent's own first, then by name. */
const nodes = ({ consul, rights }: ConsulContext): CatalogNode[] =>
  [...consul.catalog.nodes.values()]
    .filter(({ name }) => rights.may("nodePrefix", name, "read"))
    .sort((one, other) => (one.name < other.name ? -1 : 1));

function nodesWith(call: ConsulCall): { node: CatalogNode; service: CatalogService }[] {
  const tag = call.request.query.get("tag");
  return nodes(call.agent).flatMap((node) =>
    [...node.services.values()]
      .filter(({ name, tags }) => name === call.part("name") && (tag === null || tags.includes(tag)))
      .map((service) => ({ node, service })),
  );
}

const checksOf = (node: CatalogNode, service: CatalogService): Check[] =>
  [...node.checks.values()].filter((check) => !check.service || check.service.id === service.id);

const registration = z.object({
  ID: z.string().default(""),
  Node: z.string().min(1),
  Address: z.string().default(""),
  NodeMeta: z.record(z.string(), z.string()).default({}),
  Service: z
    .object({
      ID: z.string().optional(),
      Service: z.string(),
      Tags: z.array(z.string()).default([]),
      Meta: z.record(z.string(), z.string()).default({}),
      Port: z.number().default(0),
      Address: z.string().default(""),
    })
    .optional(),
});

function register(call: ConsulCall): Reply {
  const { consul, rights } = call.agent;
  const body = bodyJson(call.request.body, (reason) => text(400, `Request decode failed: ${reason}`));
  if (!("value" in body)) return body;
  const parsed = registration.safeParse(body.value);
  if (!parsed.success) return text(500, "rpc error making call: Must provide node");
  const { ID, Node, Address, NodeMeta, Service } = parsed.data;
  if (!rights.may("nodePrefix", Node, "write")) return denied();
  return atLeader(call, () => {
    const node = consul.catalog.enter({ id: ID, name: Node, address: Address, meta: NodeMeta });
    if (!node) {
      const holder = consul.catalog.nodes.get(Node)?.id ?? "";
      return text(
        500,
        `rpc error making call: failed inserting node: Error while renaming Node ID: "${ID}": Node name ${Node} is reserved by node ${holder} with name ${Node}`,
      );
    }
    if (Service)
      consul.catalog.setService(node, {
        id: Service.ID ?? Service.Service,
        name: Service.Service,
        tags: Service.Tags,
        meta: Service.Meta,
        port: Service.Port,
        address: Service.Address,
      });
    return json(true);
  });
}

function deregister(call: ConsulCall): Reply {
  const { consul, rights } = call.agent;
  const body = bodyJson(call.request.body, (reason) => text(400, `Request decode failed: ${reason}`));
  if (!("value" in body)) return body;
  const parsed = z
    .object({ Node: z.string().min(1), ServiceID: z.string().default("") })
    .safeParse(body.value);
  if (!parsed.success) return text(500, "rpc error making call: Must provide node");
  const { Node, ServiceID } = parsed.data;
  if (!rights.may("nodePrefix", Node, "write")) return denied();
  return atLeader(call, () => {
    const node = consul.catalog.nodes.get(Node);
    if (node && ServiceID !== "") consul.catalog.removeService(node, ServiceID);
    else if (node) consul.catalog.remove(Node);
    return json(true);
  });
}

const nodeView = (node: CatalogNode) => ({
  ID: node.id,
  Node: node.name,
  Address: node.address,
  Datacenter: "dc1",
  TaggedAddresses: addresses(node),
  Meta: node.meta,
  CreateIndex: node.createIndex,
  ModifyIndex: node.modifyIndex,
});

const addresses = ({ address }: CatalogNode) => ({
  lan: address,
  lan_ipv4: address,
  wan: address,
  wan_ipv4: address,
});

const serviceView = (service: CatalogService) => ({
  ID: service.id,
  Service: service.name,
  Tags: service.tags,
  Address: service.address,
  Meta: service.meta,
  Port: service.port,
  Weights: { Passing: 1, Warning: 1 },
  EnableTagOverride: false,
  CreateIndex: service.createIndex,
  ModifyIndex: service.modifyIndex,
});

/** Newer versions leave out a port that is 0. */
function healthServiceView(service: CatalogService, version: string) {
  const { Port, ...rest } = serviceView(service);
  const hasPort = Port !== 0 || isBefore(version, "1.22.0");
  return { ...rest, ...(hasPort ? { Port } : {}), Proxy: { MeshGateway: {}, Expose: {} }, Connect: {} };
}

const flatServiceView = (node: CatalogNode, service: CatalogService) => ({
  ID: node.id,
  Node: node.name,
  Address: node.address,
  Datacenter: "dc1",
  TaggedAddresses: addresses(node),
  NodeMeta: node.meta,
  ServiceKind: "",
  ServiceID: service.id,
  ServiceName: service.name,
  ServiceTags: service.tags,
  ServiceAddress: service.address,
  ServiceWeights: { Passing: 1, Warning: 1 },
  ServiceMeta: service.meta,
  ServicePort: service.port,
  ServiceEnableTagOverride: false,
  ServiceProxy: { MeshGateway: {}, Expose: {} },
  ServiceConnect: {},
  CreateIndex: service.createIndex,
  ModifyIndex: service.modifyIndex,
});

const checkView = (node: CatalogNode, check: Check) => ({
  Node: node.name,
  CheckID: check.id,
  Name: check.name,
  Status: check.status,
  Notes: check.notes,
  Output: check.output,
  ServiceID: check.service?.id ?? "",
  ServiceName: check.service?.name ?? "",
  ServiceTags: check.service?.tags ?? [],
  Type: check.id === SERF_HEALTH ? "" : check.type,
  Definition: {},
  CreateIndex: check.createIndex,
  ModifyIndex: check.modifyIndex,
});

/** Of Consul's language for filters, what this program writes in it: `Node matches "^broker-0-[0-9]+$"`. */
function nodeFilter(expression: string | null): RegExp | undefined {
  if (expression === null) return /^/;
  const pattern = /^Node matches ("(?:[^"\\]|\\.)*")$/.exec(expression)?.[1];
  return pattern === undefined ? undefined : new RegExp(z.string().parse(JSON.parse(pattern)));
}
