import * as z from "zod";
import { empty, json, text, type Headers, type Reply } from "../../answer.js";
import { denied } from "../access.js";
import type { Allocation } from "../allocation.js";
import { jobSpec } from "../job.js";
import { allocatedResources, allocationStub, allocationView } from "./allocation-view.js";
import { atLeader, bodyJson, failure, read, type NomadCall, type NomadRoute } from "./context.js";
import { deploymentView, jobStub, jobView, summaryView } from "./job-view.js";

/** Jobs, their allocations and deployments. */
export const jobRoutes: readonly NomadRoute[] = [
  {
    methods: ["GET"],
    path: "/v1/jobs",
    handle: (call) => {
      const { nomad, rights } = call.agent;
      if (!rights.mayIn(namespaceOf(call), "list-jobs")) return denied();
      const prefix = call.request.query.get("prefix") ?? "";
      return read(call, {
        index: () => nomad.scheduler.index,
        value: () =>
          [...nomad.scheduler.jobs.values()]
            .filter(({ id }) => id.startsWith(prefix))
            .map((job) => jobStub(nomad, job)),
        nothing: [],
      });
    },
  },
  { methods: ["PUT", "POST"], path: "/v1/jobs", handle: register },
  {
    methods: ["GET"],
    path: "/v1/job/:id",
    handle: (call) => ofJob(call, (job) => jobView(call.agent.nomad, job)),
  },
  {
    methods: ["DELETE"],
    path: "/v1/job/:id",
    handle: (call) => {
      const { nomad, rights } = call.agent;
      if (!rights.mayIn(namespaceOf(call), "submit-job")) return denied();
      return atLeader(call, () => {
        const job = nomad.scheduler.jobs.get(call.part("id"));
        if (job) nomad.scheduler.stop(job);
        if (job && call.request.query.get("purge") === "true") nomad.scheduler.jobs.delete(job.id);
        return registered(call, nomad.servers.raft.next());
      });
    },
  },
  {
    methods: ["GET"],
    path: "/v1/job/:id/summary",
    handle: (call) => ofJob(call, (job) => summaryView(call.agent.nomad, job)),
  },
  {
    methods: ["GET"],
    path: "/v1/job/:id/allocations",
    handle: (call) => ofAllocations(call, (each) => each.job.id === call.part("id")),
  },
  {
    methods: ["GET"],
    path: "/v1/job/:id/deployments",
    handle: (call) => deployments(call, ({ id }) => id === call.part("id")),
  },
  { methods: ["GET"], path: "/v1/deployments", handle: (call) => deployments(call, () => true) },
  { methods: ["GET"], path: "/v1/allocations", handle: (call) => ofAllocations(call, () => true) },
  { methods: ["GET"], path: "/v1/allocation/:id", handle: allocation },
  {
    methods: ["GET"],
    path: "/v1/volumes",
    handle: (call) => {
      if (!call.agent.rights.mayIn(namespaceOf(call), "csi-list-volume")) return denied();
      return read(call, { index: () => call.agent.nomad.scheduler.index, value: () => [], nothing: [] });
    },
  },
  { methods: ["PUT", "POST"], path: "/v1/system/reconcile/summaries", handle: () => empty() },
];

const namespaceOf = (call: NomadCall): string => call.request.query.get("namespace") ?? "default";

type JobOf = Allocation["job"];

function ofJob(call: NomadCall, view: (job: JobOf) => unknown): Reply {
  const { nomad, rights } = call.agent;
  if (!rights.mayIn(namespaceOf(call), "read-job")) return denied();
  return read(call, {
    index: () => nomad.scheduler.index,
    value: () => {
      const job = nomad.scheduler.jobs.get(call.part("id"));
      return job && view(job);
    },
    missing: (headers: Headers) => text(404, "job not found", headers),
    nothing: undefined,
  });
}

function ofAllocations(call: NomadCall, wanted: (each: Allocation) => boolean): Reply {
  const { nomad, rights } = call.agent;
  const withResources = call.request.query.get("resources") === "true";
  if (!rights.mayIn(namespaceOf(call), "read-job")) return denied();
  return read(call, {
    index: () => nomad.scheduler.index,
    value: () =>
      [...nomad.scheduler.allocations.values()]
        .filter(wanted)
        .map((each) => ({ ...allocationStub(nomad, each), ...(withResources ? resourcesOf(each) : {}) })),
    nothing: [],
  });
}

const resourcesOf = (each: Allocation) => ({ AllocatedResources: allocatedResources(each) });

function deployments(call: NomadCall, wanted: (job: JobOf) => boolean): Reply {
  const { nomad, rights } = call.agent;
  if (!rights.mayIn(namespaceOf(call), "read-job")) return denied();
  return read(call, {
    index: () => nomad.scheduler.index,
    value: () =>
      [...nomad.scheduler.jobs.values()]
        .filter((job) => job.type === "service" && wanted(job))
        .map((job) => deploymentView(nomad, job)),
    nothing: [],
  });
}

function allocation(call: NomadCall): Reply {
  const { nomad, rights } = call.agent;
  const id = call.part("id");
  return atLeader(call, () => {
    if (id.length !== 36)
      return failure(call, "alloc lookup failed: index error: UUID must be 36 characters");
    const found = nomad.scheduler.allocations.get(id);
    if (found && !rights.mayIn(found.job.spec.Namespace, "read-job"))
      return failure(call, `Unknown allocation "${id}"`);
    return read(call, {
      index: () => found?.modifyIndex ?? nomad.scheduler.index,
      value: () => found && allocationView(nomad, found),
      missing: (headers) => text(404, "alloc not found", headers),
      nothing: undefined,
    });
  });
}

function register(call: NomadCall): Reply {
  const { nomad, rights } = call.agent;
  const body = bodyJson(call.request.body);
  if (!("value" in body)) return body;
  const parsed = z.object({ Job: jobSpec }).safeParse(body.value);
  if (!parsed.success) return text(400, "Job must be specified");
  if (!rights.mayIn(parsed.data.Job.Namespace, "submit-job")) return denied();
  return atLeader(call, () => registered(call, nomad.run(parsed.data.Job).modifyIndex));
}

const registered = ({ agent: { nomad } }: NomadCall, index: number): Reply =>
  json(
    {
      EvalCreateIndex: index,
      EvalID: nomad.ids.next(),
      Index: index,
      JobModifyIndex: index,
      KnownLeader: false,
      LastContact: 0,
      NextToken: "",
      Warnings: "",
    },
    { "X-Nomad-Index": String(index) },
  );
