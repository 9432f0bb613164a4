import * as z from "zod";
import { json, text, type Reply, type Request } from "../../answer.js";
import { denied } from "../access.js";
import type { NodeRecord } from "../node-record.js";
import { allocationView } from "./allocation-view.js";
import {
  atLeader,
  bodyJson,
  failure,
  invalidMethod,
  read,
  type NomadCall,
  type NomadRoute,
} from "./context.js";
import { nodeStub, nodeView } from "./node-view.js";

const wrongMethod = invalidMethod(405);

/** Nodes: what is known of them, whether they may take work, and how work leaves them. */
export const nodeRoutes: readonly NomadRoute[] = [
  { methods: ["GET"], path: "/v1/nodes", handle: list },
  {
    methods: ["GET"],
    path: "/v1/node/:id",
    handle: (call) => {
      if (!call.agent.rights.may("node", "read")) return denied();
      const id = call.part("id");
      if (id === "") return text(500, "missing node ID");
      if (id.length !== 36) return failure(call, SHORT_ID);
      const { nodes } = call.agent.nomad;
      return read(call, {
        index: () => nodes.records.get(id)?.modifyIndex ?? nodes.index,
        value: () => {
          const node = nodes.records.get(id);
          return node && nodeView(call.agent.nomad, node);
        },
        missing: (headers) => text(404, "node not found", headers),
        nothing: undefined,
      });
    },
  },
  {
    methods: ["GET"],
    path: "/v1/node/:id/allocations",
    handle: (call) => {
      const { nomad, rights } = call.agent;
      if (!rights.may("node", "read")) return denied();
      const id = call.part("id");
      return read(call, {
        index: () => nomad.scheduler.index,
        // A token that may not look at jobs is shown none: the list is as empty as that of a node that is not there.
        value: () =>
          [...nomad.scheduler.allocations.values()]
            .filter((each) => each.node.id === id && rights.mayIn(each.job.spec.Namespace, "read-job"))
            .map((each) => allocationView(nomad, each)),
        nothing: [],
      });
    },
  },
  {
    methods: ["PUT", "POST"],
    path: "/v1/node/:id/eligibility",
    handle: setEligibility,
    otherMethod: wrongMethod,
  },
  { methods: ["PUT", "POST"], path: "/v1/node/:id/drain", handle: drain, otherMethod: wrongMethod },
  { methods: ["PUT", "POST"], path: "/v1/node/:id/purge", handle: purge, otherMethod: wrongMethod },
  { methods: [], path: "/v1/node/:id/*rest", handle: wrongMethod },
];

const SHORT_ID = "node lookup failed: index error: UUID must be 36 characters";

function list(call: NomadCall): Reply {
  const { nomad, rights } = call.agent;
  const { query } = call.request;
  if (!rights.may("node", "read")) return denied();
  const prefix = query.get("prefix") ?? "";
  if (prefix.replaceAll("-", "").length % 2 === 1)
    return failure(call, "node lookup failed: index error: Input (without hyphens) must be even length");
  const filter = filterOf(call.request);
  if (!filter)
    return text(
      400,
      'failed to create result paginator: failed to read filter expression: 1:8 (7): no match found, expected: "-", "0", "\\"", "`", [ \\t\\r\\n], [1-9] or [a-zA-Z]',
    );
  return read(call, {
    index: () => nomad.nodes.index,
    value: () =>
      [...nomad.nodes.records.values()]
        .filter((node) => node.id.startsWith(prefix) && filter(node))
        .sort((one, other) => (one.id < other.id ? -1 : 1))
        .map((node) => nodeStub(nomad, node, query.get("resources") === "true")),
    nothing: [],
  });
}

/** `Name == "x"` and the like, joined by `and`; undefined for what is no such expression. */
function filterOf({ query }: Request): ((node: NodeRecord) => boolean) | undefined {
  const source = query.get("filter");
  if (source === null || source === "") return () => true;
  const tests = source.split(/\s+and\s+/).map((part) => {
    const match = /^\s*(\w+(?:\.\w+)?)\s*(==|!=)\s*"([^"]*)"\s*$/.exec(part);
    if (!match) return undefined;
    const [, field = "", operator, value] = match;
    return (node: NodeRecord) => (fieldOf(node, field) === value) === (operator === "==");
  });
  return tests.some((test) => !test) ? undefined : (node) => tests.every((test) => test?.(node));
}

function fieldOf(node: NodeRecord, field: string): string | undefined {
  if (field.startsWith("Meta.")) return node.agent.settings.meta[field.slice("Meta.".length)];
  return new Map([
    ["ID", node.id],
    ["Name", node.name],
    ["Status", node.status],
    ["SchedulingEligibility", node.eligible ? "eligible" : "ineligible"],
    ["Datacenter", "dc1"],
    ["NodePool", node.agent.settings.nodePool],
  ]).get(field);
}

/** Carries a change to a node out, or says why it cannot be. */
function changing(call: NomadCall, id: string, run: (node: NodeRecord) => Reply): Reply {
  return atLeader(call, () => {
    if (id.length !== 36) return failure(call, SHORT_ID);
    const node = call.agent.nomad.nodes.records.get(id);
    return node ? run(node) : failure(call, "node not found");
  });
}

const eligibility = z.object({ Eligibility: z.string().default(""), NodeID: z.string().optional() });

function setEligibility(call: NomadCall): Reply {
  const { nomad, rights } = call.agent;
  if (!rights.may("node", "write")) return denied();
  const body = bodyJson(call.request.body);
  if (!("value" in body)) return body;
  const parsed = eligibility.safeParse(body.value);
  if (!parsed.success) return text(400, cannotUnmarshal(body.value, "NodeUpdateEligibilityRequest"));
  const wanted = parsed.data.Eligibility;
  // The id in the body is the one that counts.
  return changing(call, parsed.data.NodeID ?? call.part("id"), (node) => {
    if (wanted !== "eligible" && wanted !== "ineligible")
      return failure(call, `invalid scheduling eligibility "${wanted}"`);
    if (wanted === "eligible" && node.drain)
      return failure(call, "can not set node's scheduling eligibility to eligible while it is draining");
    const changed = nomad.nodes.setEligible(node, wanted === "eligible");
    const index = changed ? node.modifyIndex : 0;
    const evaluated = changed && wanted === "eligible" ? nomad.scheduler.jobs.size : 0;
    return json(
      {
        EvalCreateIndex: evaluated > 0 ? index + 1 : 0,
        EvalIDs: evaluated > 0 ? [...nomad.scheduler.jobs.keys()].map(() => nomad.ids.next()) : null,
        Index: index,
        NodeModifyIndex: 0,
      },
      { "X-Nomad-Index": String(index) },
    );
  });
}

const drainRequest = z.object({
  DrainSpec: z
    .object({ Deadline: z.number().default(0), IgnoreSystemJobs: z.boolean().default(false) })
    .nullish(),
  MarkEligible: z.boolean().default(false),
  Meta: z.record(z.string(), z.string()).nullish(),
});

function drain(call: NomadCall): Reply {
  const { nomad, rights } = call.agent;
  if (!rights.may("node", "write")) return denied();
  const body = bodyJson(call.request.body);
  if (!("value" in body)) return body;
  const parsed = drainRequest.safeParse(body.value);
  if (!parsed.success) return text(400, cannotUnmarshal(body.value, "NodeUpdateDrainRequest"));
  const { DrainSpec, MarkEligible, Meta } = parsed.data;
  return changing(call, call.part("id"), (node) => {
    if (DrainSpec)
      nomad.drainer.start(node, {
        deadline: DrainSpec.Deadline,
        ignoreSystemJobs: DrainSpec.IgnoreSystemJobs,
        meta: Meta ?? null,
        accessor: nomad.options.tokens ? nomad.ids.next() : "token:acls-disabled",
      });
    else nomad.drainer.cancel(node, MarkEligible, Meta ?? null);
    const index = node.modifyIndex;
    return json(
      { EvalCreateIndex: 0, EvalIDs: null, Index: index, NodeModifyIndex: index },
      { "X-Nomad-Index": String(index) },
    );
  });
}

function cannotUnmarshal(value: unknown, type: string): string {
  if (Array.isArray(value)) return `json: cannot unmarshal array into Go value of type api.${type}`;
  return `json: cannot unmarshal string into Go struct field of type api.${type}`;
}

function purge(call: NomadCall): Reply {
  const { nomad, rights } = call.agent;
  if (!rights.may("node", "write")) return denied();
  return changing(call, call.part("id"), (node) => {
    const hadWork = nomad.scheduler.on(node).length > 0;
    nomad.nodes.purge(node);
    const { index } = nomad.nodes;
    return json(
      {
        EvalCreateIndex: index + 1,
        EvalIDs: hadWork && node.status !== "down" ? [nomad.ids.next()] : null,
        Features: 0,
        HeartbeatTTL: 0,
        Index: index,
        KnownLeader: false,
        LastContact: 0,
        LeaderRPCAddr: "",
        NextToken: "",
        NodeModifyIndex: index,
        NumNodes: 0,
        SchedulingEligibility: "",
        Servers: null,
        SignedIdentity: null,
      },
      { "X-Nomad-Index": String(index) },
    );
  });
}
