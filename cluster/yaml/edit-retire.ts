import { poolsOf, type Pool } from "../groups.js";
import { applyEdits, scalarAt } from "./apply-edits.js";
import { loadSpec } from "./load.js";
import { newPoolKey } from "./new-pool-key.js";
import { formatValue } from "./problem.js";
import type { Spec } from "./schema.js";
import { nearest, question } from "./suggest.js";
import { UserError } from "../user-error.js";
import { YamlSource } from "./yaml-source.js";

/**
 * The pool of that name, if it may leave for good.
 * @throws UserError (exit code 2) for a pool of servers, and for one that the spec does not have
 */
export function findRetirable(spec: Spec, name: string): Pool {
  const pools = poolsOf(spec);
  const clients = pools.filter(({ role }) => role === "client");
  const names = clients.map((pool) => pool.name);
  const known = names.join(", ") || "none";
  const found = pools.find((pool) => pool.name === name);
  if (found?.role === "client") return found;
  if (found) {
    throw new UserError(
      `${name} cannot retire: every cluster needs its servers; pools that can: ${known}`,
      2,
    );
  }
  const group = pools.find(({ groups }) => groups.some((each) => each.name === name));
  if (group) throw new UserError(`"${name}" is a group; only a whole pool retires: ${group.name}`, 2);
  const meant = question(nearest(name, names));
  throw new UserError(`no pool ${formatValue(name)};${meant} pools that can retire: ${known}`, 2);
}

/**
 * The text of a spec in which a client pool retires. Every byte around the key stays.
 * @param file the name that errors carry
 * @throws UserError for a pool that is laid out so that nobody knows where a new key belongs
 */
export function setRetire(
  text: string,
  file: string,
  pool: string,
  retire: NonNullable<Pool["retire"]>,
): string {
  const source = new YamlSource(text, file);
  const path = ["pools", pool, "retire"];
  const edit = source.nodeAt(path)
    ? { ...scalarAt(source, path), text: retire }
    : newPoolKey(source, pool, "retire", retire);
  const wanted = structuredClone(loadSpec(text, file));
  const settings = wanted.pools[pool];
  if (settings) settings.retire = retire;
  return applyEdits(source, [edit], wanted, `pools.${pool}.retire`);
}
