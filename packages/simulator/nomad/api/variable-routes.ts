import * as z from "zod";
import { empty, json, text, type Reply } from "../../answer.js";
import { denied } from "../access.js";
import type { Variable } from "../variables.js";
import { atLeader, bodyJson, read, type NomadCall, type NomadRoute } from "./context.js";

const FAILED = { "X-Nomad-Index": "0" };

export const variableRoutes: readonly NomadRoute[] = [
  {
    methods: ["GET"],
    path: "/v1/var/*path",
    handle: (call) => {
      const { nomad, rights } = call.agent;
      const path = call.part("path");
      if (!rights.mayVariable(path)) return denied();
      return read(call, {
        index: () => nomad.variables.all.get(path)?.modifyIndex ?? 1,
        value: () => {
          const variable = nomad.variables.all.get(path);
          return variable && view(call, variable);
        },
        missing: (headers) => text(404, "variable not found", headers),
        nothing: undefined,
      });
    },
  },
  { methods: ["PUT", "POST"], path: "/v1/var/*path", handle: put },
  {
    methods: ["DELETE"],
    path: "/v1/var/*path",
    handle: (call) => {
      const { nomad, rights } = call.agent;
      if (!rights.mayVariable(call.part("path")))
        return { ...denied(), headers: { ...denied().headers, ...FAILED } };
      return atLeader(call, () => {
        nomad.variables.all.delete(call.part("path"));
        return empty(204, { "X-Nomad-Index": String(nomad.servers.raft.next()) });
      });
    },
  },
];

const body = z.object({ Path: z.string().optional(), Items: z.record(z.string(), z.string()).default({}) });

function put(call: NomadCall): Reply {
  const { nomad, rights } = call.agent;
  const path = call.part("path");
  if (!rights.mayVariable(path)) return { ...denied(), headers: { ...denied().headers, ...FAILED } };
  const sent = bodyJson(call.request.body);
  if (!("value" in sent)) return sent;
  const parsed = body.safeParse(sent.value);
  if (!parsed.success) return text(400, "error converting value to a variable");
  const cas = call.request.query.get("cas");
  return atLeader(
    call,
    () => {
      const before = nomad.variables.all.get(path);
      if (cas !== null && Number(cas) !== (before?.modifyIndex ?? 0))
        return json(before ? view(call, before) : { Path: path, Items: null }, {}, 409);
      const variable = nomad.variables.put(path, parsed.data.Items);
      return json(view(call, variable), { "X-Nomad-Index": String(variable.modifyIndex) });
    },
    FAILED,
  );
}

const view = ({ agent: { nomad } }: NomadCall, variable: Variable) => ({
  CreateIndex: variable.createIndex,
  CreateTime: nomad.timeline.nanoseconds(variable.createdAt),
  Items: variable.items,
  ModifyIndex: variable.modifyIndex,
  ModifyTime: nomad.timeline.nanoseconds(variable.modifiedAt),
  Namespace: "default",
  Path: variable.path,
});
