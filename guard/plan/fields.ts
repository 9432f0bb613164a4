import { UserError } from "../../cluster/user-error.js";

/** What is no plan, or is damaged. Never taken for an accepted one. */
export class NotAPlan extends UserError {
  override readonly name = "NotAPlan";

  constructor(why: string) {
    super(`not a plan: ${why}; make it with: terraform show -json PLANFILE`, 2);
  }
}

export function fail(why: string): never {
  throw new NotAPlan(why);
}

/** An object of parsed JSON. */
export type Fields = Readonly<Record<string, unknown>>;

/** Keys that could reach an object's prototype. No plan has them where this program reads. */
const POISON = ["__proto__", "constructor", "prototype"];

/** The value as an object, without inherited or poisonous keys. */
export function asObject(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    fail(`${what} is ${kindOf(value)}, expected an object`);
  const poison = POISON.find((key) => Object.hasOwn(value, key));
  if (poison !== undefined) fail(`${what} has the key ${poison}`);
  return value as Fields;
}

export function asList(value: unknown, what: string): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : fail(`${what} is ${kindOf(value)}, expected a list`);
}

export function asText(value: unknown, what: string): string {
  return typeof value === "string" ? value : fail(`${what} is ${kindOf(value)}, expected a text`);
}

function kindOf(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : typeof value === "object" ? "an object" : `a ${typeof value}`;
}
