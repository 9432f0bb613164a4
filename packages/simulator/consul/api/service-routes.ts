import * as z from "zod";
import { empty, json, text, type Reply } from "../../answer.js";
import { denied } from "../access.js";
import type { LocalService } from "../agent.js";
import { bodyJson, type ConsulCall, type ConsulRoute } from "./context.js";

const registration = z.object({
  Name: z.string(),
  ID: z.string().optional(),
  Tags: z.array(z.string()).default([]),
  Meta: z.record(z.string(), z.string()).default({}),
  Port: z.number().default(0),
  Address: z.string().default(""),
  Check: z.looseObject({ Status: z.string().default("critical"), TTL: z.string().optional() }).optional(),
});

/** The services of this agent. It answers 200 whether or not the catalog takes them. */
export const serviceRoutes: readonly ConsulRoute[] = [
  { methods: ["PUT"], path: "/v1/agent/service/register", handle: register },
  {
    methods: ["PUT"],
    path: "/v1/agent/service/deregister/:id",
    handle: ({ agent: { consul, agent }, part }) => {
      agent.services.delete(part("id"));
      consul.changed(agent);
      return empty();
    },
  },
  { methods: ["PUT"], path: "/v1/agent/service/maintenance/:id", handle: maintain },
  {
    methods: ["PUT"],
    path: "/v1/agent/check/:status/*id",
    handle: ({ agent: { consul, agent }, part }) => {
      const status = STATUS.get(part("status"));
      const service = [...agent.services.values()].find(({ id }) => `service:${id}` === part("id"));
      if (!status || !service?.check) return text(500, `Unknown check "${part("id")}"`);
      service.check.status = status;
      consul.changed(agent);
      return empty();
    },
  },
  {
    methods: ["GET"],
    path: "/v1/agent/services",
    handle: ({ agent: { agent } }) =>
      json(
        Object.fromEntries(
          [...agent.services.values()].map((service) => [service.id, localService(service)]),
        ),
      ),
  },
  {
    methods: ["GET"],
    path: "/v1/agent/checks",
    handle: ({ agent: { agent } }) =>
      json(
        Object.fromEntries(
          [...agent.services.values()].flatMap((service) =>
            service.check ? [[`service:${service.id}`, localCheck(agent.name, service, service.check)]] : [],
          ),
        ),
      ),
  },
];

const STATUS = new Map([
  ["pass", "passing"],
  ["warn", "warning"],
  ["fail", "critical"],
]);

function register({ agent: { consul, agent, rights }, request }: ConsulCall): Reply {
  const body = bodyJson(request.body, (reason) => text(400, `Request decode failed: ${reason}`));
  if (!("value" in body)) return body;
  const parsed = registration.safeParse(body.value);
  if (!parsed.success || parsed.data.Name === "") return text(400, "Missing service name");
  const { Name, ID, Tags, Meta, Port, Address, Check } = parsed.data;
  if (!rights.may("servicePrefix", Name, "write")) return denied();
  const check = Check && { type: Check.TTL === undefined ? "" : "ttl", status: Check.Status };
  const id = ID ?? Name;
  agent.services.set(id, {
    id,
    name: Name,
    tags: Tags,
    meta: Meta,
    port: Port,
    address: Address,
    ...(check ? { check } : {}),
  });
  consul.changed(agent);
  return empty();
}

function maintain({ agent: { consul, agent }, request, part }: ConsulCall): Reply {
  const service = agent.services.get(part("id"));
  if (!service) return text(404, `No service registered with ID "${part("id")}"`);
  if (request.query.get("enable") === "true") service.maintenance = request.query.get("reason") ?? "";
  else delete service.maintenance;
  consul.changed(agent);
  return empty();
}

const localService = (service: LocalService) => ({
  ID: service.id,
  Service: service.name,
  Tags: service.tags,
  Meta: service.meta,
  Port: service.port,
  Address: service.address,
  Weights: { Passing: 1, Warning: 1 },
  EnableTagOverride: false,
});

const localCheck = (node: string, service: LocalService, check: { type: string; status: string }) => ({
  Node: node,
  CheckID: `service:${service.id}`,
  Name: `Service '${service.name}' check`,
  Status: check.status,
  Notes: "",
  Output: "",
  ServiceID: service.id,
  ServiceName: service.name,
  ServiceTags: service.tags,
  Type: check.type,
  Definition: {},
  CreateIndex: 0,
  ModifyIndex: 0,
});
