import { contradictionIn, isAddressOf } from "./contradiction.js";
import { asList, asObject, asText, type Fields } from "./fields.js";
import type { PlannedResource } from "./plan.js";

type Fail = (why: string) => never;

/** An entry of `resource_changes`; undefined for a data source, which is only read. */
export function readResource(entry: unknown, where: string, fail: Fail): PlannedResource | undefined {
  const fields = asObject(entry, where, fail);
  const address = asText(fields["address"], `${where}.address`, fail);
  const mode = asText(fields["mode"], `${where}.mode`, fail);
  const identity = {
    address,
    mode,
    moduleAddress: maybeText(fields, "module_address", where, fail),
    type: asText(fields["type"], `${where}.type`, fail),
    name: asText(fields["name"], `${where}.name`, fail),
    index: fields["index"],
  };
  const isKnown = mode === "managed" || mode === "data";
  if (isKnown && !isAddressOf(identity))
    fail(`${where} is ${address}, and its mode, type, name and index say otherwise`);
  const change = asObject(fields["change"], `${where}.change`, fail);
  const actions = asList(change["actions"], `${where}.change.actions`, fail).map((action) =>
    asText(action, `${where}.change.actions`, fail),
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
  const deposed = maybeText(fields, "deposed", where, fail);
  const previousAddress = maybeText(fields, "previous_address", where, fail);
  const reason = maybeText(fields, "action_reason", where, fail);
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

function maybeText(fields: Fields, key: string, where: string, fail: Fail): string | undefined {
  return fields[key] === undefined ? undefined : asText(fields[key], `${where}.${key}`, fail);
}
