import { duplicateKey } from "./duplicate-key.js";
import { asObject, type Fields } from "./fields.js";

type Fail = (why: string) => never;

/** The bytes as text. */
export function decode(bytes: Uint8Array, fail: Fail): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_STRING_TOO_LONG") {
      fail(
        `it has ${String(bytes.length)} bytes, more than one text may have here; plan one view of a smaller cluster`,
      );
    }
    return fail("it is not text in UTF-8");
  }
}

/** The object that a text is in JSON, if no key stands twice in it or in anything below. */
export function readObject(text: string, fail: Fail): Fields {
  const json = asObject(parse(text, fail), "the document", fail);
  const twice = duplicateKey(text, json);
  if (twice !== undefined) fail(`the key ${JSON.stringify(twice)} stands twice in one object`);
  return json;
}

function parse(text: string, fail: Fail): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return fail(text.trim() === "" ? "it is empty" : "it is not JSON, or is cut off");
  }
}
