import * as z from "zod";
import { list } from "../http/parse-answer.js";

const named = z.object({ Name: z.string() });

/** Its secret is not read. */
export const TokenSelf = z.object({
  AccessorID: z.string(),
  /** client or management */
  Type: z.string(),
  Policies: list(z.string()),
  Roles: list(z.object({ ID: z.string() })),
});
export type TokenSelf = z.output<typeof TokenSelf>;

export const Role = z.object({ Policies: list(named) });

const level = z
  .object({ Policy: z.string() })
  .nullish()
  .transform((rule) => rule?.Policy ?? "");

/** A policy, as the servers have parsed it; older ones give the text alone. */
export const Policy = z.object({
  RulesJSON: z
    .object({
      Namespaces: list(
        z.object({ Name: z.string(), Policy: z.string().nullish(), Capabilities: list(z.string()) }),
      ),
      Node: level,
      Operator: level,
      Agent: level,
    })
    .nullish(),
});
export type Policy = z.output<typeof Policy>;
