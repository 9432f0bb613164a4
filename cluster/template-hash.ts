import { createHash } from "node:crypto";
import type { DataVolume, RootVolume } from "./yaml/schema.js";

/** The values of a group that shape its machines. */
export interface Template {
  readonly image: string;
  readonly instanceType: string;
  readonly dataVolume?: DataVolume;
  readonly rootVolume?: RootVolume;
  readonly generation: number;
}

/**
 * Names the machines that a template makes, as Kubernetes' pod-template-hash does: ten hexadecimal digits over canonical
 * JSON. Absent values and defaults are left out, so that a new version of this program makes no group pending by itself;
 * a test pins some hashes literally.
 */
export function templateHash(template: Template): string {
  const values: Partial<Template> = templateOf(template);
  const text = JSON.stringify({
    ...values,
    generation: values.generation === 0 ? undefined : values.generation,
  });
  const known = hashes.get(text);
  if (known !== undefined) return known;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 10);
  hashes.set(text, hash);
  return hash;
}

/** The template alone, of whatever has one, with keys in the order of the alphabet. */
export const templateOf = (template: Template): Template => ({
  ...(template.dataVolume
    ? { dataVolume: { sizeGib: template.dataVolume.sizeGib, type: template.dataVolume.type } }
    : {}),
  generation: template.generation,
  image: template.image,
  instanceType: template.instanceType,
  ...(template.rootVolume ? { rootVolume: { sizeGib: template.rootVolume.sizeGib } } : {}),
});

/** Whether two templates make the same machines, whatever their generation. */
export const makesTheSame = (one: Template, other: Template): boolean =>
  templateHash({ ...one, generation: 0 }) === templateHash({ ...other, generation: 0 });

/** By their text: a large cluster has few templates, and each rule asks for the hash of every group. */
const hashes = new Map<string, string>();
