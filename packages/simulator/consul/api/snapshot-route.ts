import { SNAPSHOT, text, type Reply } from "../../answer.js";
import { denied } from "../access.js";
import { atLeader, readHeaders, type ConsulCall, type ConsulRoute } from "./context.js";

export const snapshotRoute: ConsulRoute = { methods: ["GET"], path: "/v1/snapshot", handle: save };

function save(call: ConsulCall): Reply {
  const { consul, rights } = call.agent;
  if (!rights.mayAcl("write")) return denied();
  if (!consul.raft.leader && !call.request.query.has("stale")) return text(500, "No cluster leader");
  return atLeader(call, () => ({
    status: 200,
    headers: { ...readHeaders(consul, consul.raft.index), "Content-Type": "application/x-gzip" },
    body: SNAPSHOT,
  }));
}
