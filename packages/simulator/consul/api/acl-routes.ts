import * as z from "zod";
import { json, text } from "../../answer.js";
import type { ConsulRights } from "../access.js";
import { bodyJson, type ConsulRoute } from "./context.js";

const questions = z
  .array(
    z.object({
      Resource: z.string(),
      Access: z.enum(["read", "write"]),
      Segment: z.string().default(""),
    }),
  )
  .max(64);

type Question = z.infer<typeof questions>[number];

/** What a token is and may do; without ACLs 401. */
export const aclRoutes: readonly ConsulRoute[] = [
  {
    methods: ["POST"],
    path: "/v1/internal/acl/authorize",
    handle: ({ agent: { consul, rights }, request }) => {
      if (!consul.options.tokens) return disabled();
      const body = bodyJson(request.body, (reason) => text(400, `Failed to decode request body: ${reason}`));
      if (!("value" in body)) return body;
      const parsed = questions.safeParse(body.value);
      if (!parsed.success) return text(400, "Failed to decode request body");
      return json(parsed.data.map((question) => ({ ...question, Allow: allows(rights, question) })));
    },
  },
  {
    methods: ["GET"],
    path: "/v1/acl/token/self",
    handle: ({ agent: { consul, rights } }) => {
      if (!consul.options.tokens) return disabled();
      const management = { ID: "00000000-0000-0000-0000-000000000001", Name: "global-management" };
      return json({
        AccessorID: "00000000-0000-0000-0000-000000000002",
        Description: "",
        Policies: rights.mayAcl("write") ? [management] : [],
        Local: false,
      });
    },
  },
];

const disabled = () => text(401, "ACL support disabled");

function allows(rights: ConsulRights, { Resource, Access, Segment }: Question): boolean {
  switch (Resource) {
    case "acl":
      return rights.mayAcl(Access);
    case "operator":
      return rights.mayOperate(Access);
    case "agent":
      return rights.may("agentPrefix", Segment, Access);
    case "node":
      return rights.may("nodePrefix", Segment, Access);
    case "service":
      return rights.may("servicePrefix", Segment, Access);
    default:
      return false;
  }
}
