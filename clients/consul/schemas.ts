import * as z from "zod";
import { list, map } from "../http/parse-answer.js";

// The names are those of Consul's API. Fields that nobody here reads are left out; what an answer has beside these is allowed.

const MemberStatus = ["none", "alive", "leaving", "left", "failed"] as const;

export const Member = z.object({
  Name: z.string(),
  Addr: z.string(),
  /** `role` is consul for a server and node for a client; `id` is the node's; `build` is the version, a colon, a revision. */
  Tags: map,
  Status: z
    .number()
    .int()
    .min(0)
    .max(4)
    .transform((status) => MemberStatus[status] ?? "none"),
});
export type Member = z.output<typeof Member>;

export const Self = z.object({
  Config: z.object({ NodeName: z.string(), NodeID: z.string() }),
  Meta: map.optional(),
});
export type Self = z.output<typeof Self>;

export const Node = z.object({ ID: z.string(), Node: z.string(), Address: z.string(), Meta: map });
export type Node = z.output<typeof Node>;

export const Check = z.object({
  Node: z.string(),
  CheckID: z.string(),
  /** passing, warning, critical or maintenance */
  Status: z.string(),
  ServiceName: z.string(),
});
export type Check = z.output<typeof Check>;

/** Newer versions leave out a port that is 0. */
const NodeService = z.object({ Address: z.string(), Port: z.number().default(0) });

/** One node's entry in the catalog; null for a node that is not there. */
export const ServiceHealth = z.object({ Node, Service: NodeService });
export type ServiceHealth = z.output<typeof ServiceHealth>;

export { AutopilotHealth, RaftConfiguration, type RaftServer } from "../http/raft.js";

export const KvPair = z.object({
  Key: z.string(),
  /** An empty value is written as null. */
  Value: z
    .base64()
    .nullable()
    .transform((value) => Buffer.from(value ?? "", "base64").toString("utf8")),
});
export type KvPair = z.output<typeof KvPair>;

export const TokenSelf = z.object({
  AccessorID: z.string(),
  Policies: list(z.object({ ID: z.string() })),
});
export type TokenSelf = z.output<typeof TokenSelf>;

/** The answer to what a token may do. */
export const Authorizations = list(z.object({ Allow: z.boolean() }));
