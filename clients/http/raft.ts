import * as z from "zod";
import type { Call, HttpClient } from "./http-client.js";
import { list } from "./parse-answer.js";
import { wasDone } from "./unless-refused.js";

// Consul and Nomad use the same raft library, and say and do the same with it.

const AutopilotServer = z.object({
  ID: z.string(),
  Name: z.string(),
  Leader: z.boolean(),
  Voter: z.boolean(),
  Healthy: z.boolean(),
  /** An election resets it for all of them; year 1 for a dead server. */
  StableSince: z.string(),
});

/** Up to 2 s old. `Healthy` counts no voters, and `Servers` is empty after an election. */
export const AutopilotHealth = z.object({
  Healthy: z.boolean(),
  FailureTolerance: z.number(),
  Servers: list(AutopilotServer),
});
export type AutopilotHealth = z.output<typeof AutopilotHealth>;

export const RaftServer = z.object({
  ID: z.string(),
  Node: z.string(),
  Address: z.string(),
  Leader: z.boolean(),
  Voter: z.boolean(),
});
export type RaftServer = z.output<typeof RaftServer>;

export const RaftConfiguration = z.object({ Servers: list(RaftServer) });

/** Takes a server out of raft. False where it is not in it. */
export const removePeerOf = (
  http: HttpClient,
  id: string,
  limits: Pick<Call, "timeout" | "permission">,
): Promise<boolean> =>
  wasDone(
    http.tell({
      method: "DELETE",
      path: "/v1/operator/raft/peer",
      query: { id },
      repeatable: true,
      ...limits,
    }),
    ({ text }) => text.includes("was not found in the Raft configuration"),
  );
