import { describe } from "@jest/globals";
import { NomadClient } from "../../clients/nomad/nomad-client.js";
import { readRecordings } from "./recording.js";
import { replay, type Route } from "./replay.js";

const noSuch = { text: /^404 (node|job) not found/, value: undefined };

const routes: readonly Route<NomadClient>[] = [
  { method: "GET", path: /^\/v1\/nodes$/, call: (nomad) => nomad.nodes() },
  { method: "GET", path: /^\/v1\/jobs$/, call: (nomad) => nomad.jobs() },
  {
    method: "GET",
    path: /^\/v1\/node\/([^/]+)$/,
    call: async (nomad, [id = ""]) => await nomad.node(id),
    settled: noSuch,
  },
  {
    method: "GET",
    path: /^\/v1\/node\/([^/]+)\/allocations$/,
    call: (nomad, [id = ""]) => nomad.nodeAllocations(id),
  },
  {
    method: "PUT",
    path: /^\/v1\/node\/([^/]+)\/eligibility$/,
    call: (nomad, [id = ""]) => nomad.setEligibility(id, "eligible"),
  },
  {
    method: "PUT",
    path: /^\/v1\/node\/([^/]+)\/drain$/,
    call: (nomad, [id = ""]) => nomad.drain(id, { deadline: 5 }),
  },
  {
    method: "PUT",
    path: /^\/v1\/node\/([^/]+)\/purge$/,
    call: (nomad, [id = ""]) => nomad.purge(id),
    settled: { text: /node not found/, value: false },
  },
  {
    method: "GET",
    path: /^\/v1\/job\/([^/]+)$/,
    call: async (nomad, [id = ""]) => await nomad.job(id, "default"),
    settled: noSuch,
  },
  {
    method: "GET",
    path: /^\/v1\/job\/([^/]+)\/allocations$/,
    call: (nomad, [id = ""]) => nomad.jobAllocations(id, "default"),
  },
  { method: "PUT", path: /^\/v1\/system\/gc$/, call: (nomad) => nomad.systemGc() },
  {
    method: "GET",
    path: /^\/v1\/operator\/autopilot\/health$/,
    call: (nomad) => nomad.autopilotHealth(),
  },
  {
    method: "GET",
    path: /^\/v1\/operator\/raft\/configuration$/,
    call: (nomad) => nomad.raftConfiguration(),
  },
  {
    method: "DELETE",
    path: /^\/v1\/operator\/raft\/peer$/,
    call: (nomad) => nomad.removePeer("00000000-0000-0000-0000-000000000000"),
    settled: { text: /was not found in the Raft configuration/, value: false },
  },
  {
    method: "PUT",
    path: /^\/v1\/operator\/raft\/transfer-leadership$/,
    call: (nomad) => nomad.transferLeadership("00000000-0000-0000-0000-000000000000"),
  },
  { method: "GET", path: /^\/v1\/agent\/self$/, call: (nomad) => nomad.self() },
  { method: "GET", path: /^\/v1\/agent\/members$/, call: (nomad) => nomad.members() },
  { method: "GET", path: /^\/v1\/acl\/token\/self$/, call: (nomad) => nomad.tokenSelf() },
];

describe("What Nomad answered when it was recorded", () => {
  replay(
    readRecordings("nomad"),
    routes,
    (url) =>
      new NomadClient({ endpoints: [{ url }], access: {} }, { attempts: 1, sleep: () => Promise.resolve() }),
  );
});
