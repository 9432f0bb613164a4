import { contradictionIn, isAddressOf } from "./contradiction.js";
import { asList, asObject, asText, fail, type Fields } from "./fields.js";
import type { PlannedResource } from "./plan.js";

/** An entry of `resource_changes`; undefined for a data source, which is only read. */
export function readResource(entry: unknown, where: string): PlannedResource | undefined {
  const fields = asObject(entry, where);
  const address = asText(fields["address"], `${where}.address`);
  const mode = asText(fields["mode"], `${where}.mode`);
  const identity = {
    address,
    mode,
    moduleAddress: maybeText(fields, "module_address", where),
    type: asText(fields["type"], `${where}.type`),
    name: asText(fields["name"], `${where}.name`),
    index: fields["index"],
  };
  const isKnown = mode === "managed" || mode === "data";
  if (isKnown && !isAddressOf(identity))
    fail(`${where} is ${address}, and its mode, type, name and index say otherwise`);
  const change = asObject(fields["change"], `${where}.change`);
  const actions = asList(change["actions"], `${where}.change.actions`).map((action) =>
    asText(action, `${where}.change.actions`),
  );
  if (actions.length === 0) fail(`${where}.change.actions is empty`);
  const isRead = actions.every((action) => action === "read" || action === "no-op");
  if (mode === "data" && isRead) return undefined;
  if (isRead && actions.includes("read")) fail(`${address} is only read, and is no data source`);
  for (const key of ["before", "after"]) {
    if (change[key] === undefined) fail(`${where}.change.${key} is missing`);
  }
  const { before, after } = change;
  const contradiction = contradictionIn({ actions, before, after });
  if (contradiction !== undefined) fail(`${address} says ${actions.join(", ")}, but ${contradiction}`);
  const deposed = maybeText(fields, "deposed", where);
  const previousAddress = maybeText(fields, "previous_address", where);
  const reason = maybeText(fields, "action_reason", where);
  return {
    address,
    ...(deposed === undefined ? {} : { deposed }),
    ...(previousAddress === undefined ? {} : { previousAddress }),
    ...(reason === undefined ? {} : { reason }),
    imported: change["importing"] !== undefined && change["importing"] !== null,
    actions,
    before,
    after,
  };
}

function maybeText(fields: Fields, key: string, where: string): string | undefined {
  return fields[key] === undefined ? undefined : asText(fields[key], `${where}.${key}`);
}
