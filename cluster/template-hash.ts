import { createHash } from "node:crypto";
import { sha256 } from "./sha256.js";
import type { DataVolume, RootVolume } from "./yaml/schema.js";

/** The values of a group that shape its machines. */
export interface Template {
  readonly image: string;
  readonly instanceType: string;
  /** With the size that is recorded: a volume grows in place. */
  readonly dataVolume?: Pick<DataVolume, "sizeGib" | "type">;
  readonly rootVolume?: RootVolume;
  /** Absent: the one that all machines have. */
  readonly instanceProfile?: string;
  /** Beside those that all machines have. */
  readonly securityGroupIds?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly userData?: UserDataFile;
  readonly generation: number;
}

/** A file of user data of one's own. Its text counts, and not what it is called. */
export interface UserDataFile {
  readonly file: string;
  readonly sha256: string;
}

/** Stands for the text of a file that could not be read: no file of user data is empty. */
export const UNREAD = "";

/** What a group has of its own where all machines have something else, or nothing. */
export type OwnSettings = Pick<Template, "instanceProfile" | "securityGroupIds" | "tags" | "userData">;

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
    userData: values.userData && { sha256: values.userData.sha256 },
  });
  const known = hashes.get(text);
  if (known !== undefined) return known;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 10);
  hashes.set(text, hash);
  return hash;
}

/** The template alone, of whatever has one, with keys in the order of the alphabet. */
export const templateOf = (template: Template): Template =>
  sorted({
    ...(template.dataVolume
      ? { dataVolume: { sizeGib: template.dataVolume.sizeGib, type: template.dataVolume.type } }
      : {}),
    generation: template.generation,
    image: template.image,
    instanceType: template.instanceType,
    ...(template.rootVolume ? { rootVolume: { sizeGib: template.rootVolume.sizeGib } } : {}),
    ...ownSettings(template),
  });

const sorted = <T extends object>(map: T): T =>
  Object.fromEntries(Object.entries(map).sort(([one], [other]) => (one < other ? -1 : 1))) as T;

/** {@link OwnSettings} alone, without what says nothing. */
export const ownSettings = ({
  instanceProfile,
  securityGroupIds = [],
  tags = {},
  userData,
}: OwnSettings): OwnSettings => ({
  ...(instanceProfile === undefined ? {} : { instanceProfile }),
  ...(securityGroupIds.length > 0 ? { securityGroupIds: [...new Set(securityGroupIds)].sort() } : {}),
  ...(Object.keys(tags).length > 0 ? { tags: sorted(tags) } : {}),
  ...(userData ? { userData: { file: userData.file, sha256: userData.sha256 } } : {}),
});

const OWN: readonly string[] = ["instanceProfile", "securityGroupIds", "tags", "userData"];

export const withoutOwn = (template: Template): Template =>
  Object.fromEntries(Object.entries(templateOf(template)).filter(([key]) => !OWN.includes(key))) as Template;

/** {@link OwnSettings} for people, by name: `tags team=data`. */
export const ownInWords = (of: OwnSettings): Readonly<Record<keyof OwnSettings, string | undefined>> => ({
  instanceProfile: of.instanceProfile,
  securityGroupIds: of.securityGroupIds?.join(" "),
  tags:
    of.tags &&
    Object.entries(of.tags)
      .map((tag) => tag.join("="))
      .join(" "),
  userData: of.userData && `${of.userData.file} (${textInWords(of.userData)})`,
});

const textInWords = ({ sha256: hash }: UserDataFile): string =>
  hash === sha256(UNREAD) ? "cannot be taken" : hash.slice(0, 7);

/** Whether two templates make the same machines, whatever their generation. */
export const makesTheSame = (one: Template, other: Template): boolean =>
  templateHash({ ...one, generation: 0 }) === templateHash({ ...other, generation: 0 });

/** By their text: a large cluster has few templates, and each rule asks for the hash of every group. */
const hashes = new Map<string, string>();
