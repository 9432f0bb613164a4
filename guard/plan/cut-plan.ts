import { asObject, type Fields } from "./fields.js";
import { decode, readObject } from "./read-json.js";

type Fail = (why: string) => never;

/** The bytes of a plan, cut so that two threads can read it. */
export interface CutPlan {
  /** The members of the document in three parts, without the commas between them. */
  readonly members: readonly [Uint8Array, Uint8Array, Uint8Array];
  /** The values of `planned_values` and of `prior_state`, nearly half of a plan. */
  readonly aside: readonly [planned: Uint8Array, prior: Uint8Array];
}

/**
 * Cuts a plan around two values that are hardly needed, where Terraform writes its keys in the usual order.
 *
 * What looks like a key may stand deep in the document, or the text be damaged. Whoever reads the parts finds that out,
 * without knowing more of JSON than its parser does: a comma ends the first part, so if that is an object once it is closed
 * by a brace, the cut is at the top of the document; and so on to the last part, which must end by the document's own
 * brace. Then each value that was taken out is one if it parses alone.
 */
export function cutPlan(bytes: Uint8Array): CutPlan | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const planned = text.indexOf(PLANNED);
  const changes = Math.min(
    ...AFTER_PLANNED.map((key) => text.indexOf(key, planned)).filter((at) => at !== -1),
    bytes.length,
  );
  const prior = text.indexOf(PRIOR, changes);
  const rest = text.indexOf(AFTER_PRIOR, prior);
  if (planned === -1 || prior === -1 || rest === -1) return undefined;
  return {
    members: [bytes.subarray(0, planned), bytes.subarray(changes + 1, prior), bytes.subarray(rest + 1)],
    aside: [bytes.subarray(planned + PLANNED.length, changes), bytes.subarray(prior + PRIOR.length, rest)],
  };
}

const PLANNED = ',"planned_values":';
const AFTER_PLANNED = [',"resource_drift":', ',"resource_changes":'];
const PRIOR = ',"prior_state":';
const AFTER_PRIOR = ',"configuration":';

/** The document without the two values. */
export function readMembers({ members: [first, second, third] }: CutPlan, fail: Fail): Fields {
  const parts = [
    readObject(`${decode(first, fail)}}`, fail),
    readObject(`{${decode(second, fail)}}`, fail),
    readObject(`{${decode(third, fail)}`, fail),
  ];
  // A comma would follow on nothing.
  if (parts[0] && Object.keys(parts[0]).length === 0) fail("it has no first key");
  const keys = [...parts.flatMap((part) => Object.keys(part)), "planned_values", "prior_state"];
  if (new Set(keys).size < keys.length) fail("a key stands twice in it");
  return Object.assign({}, ...parts) as Fields;
}

/** The two values, as the members of one document. */
export function readAside([planned, prior]: CutPlan["aside"], fail: Fail): Fields {
  const value = (bytes: Uint8Array): Fields => {
    const text = decode(bytes, fail);
    // The decoder takes a mark away that may only begin a document.
    if (bytes[0] === BYTE_ORDER_MARK) fail("a byte order mark stands in it");
    return asObject(readObject(text, fail), "a value", fail);
  };
  value(prior);
  return { planned_values: value(planned) };
}

const BYTE_ORDER_MARK = 0xef;
