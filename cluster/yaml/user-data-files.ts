import { groupsOf } from "../groups.js";
import { groupUserData } from "../user-data.js";
import { formatPath, SpecError, type Problem } from "./problem.js";
import { UNREAD } from "../template-hash.js";
import type { Spec } from "./schema.js";

/** EC2 takes no more, ours and the user's own together. */
const MOST_BYTES = 16_384;

/** The files that a spec names as user data, from its folder. */
export const userDataFiles = ({ pools }: Pick<Spec, "pools">): string[] => [
  ...new Set(Object.values(pools).flatMap(({ userData = [] }) => userData.flatMap((file) => file ?? []))),
];

/**
 * A spec with the text of the files that it names; one that names none as it is.
 * @param where the name that errors carry
 * @param read the bytes of a file, by its path from the folder of the spec, or why there are none
 * @throws SpecError with everything that is wrong with them
 */
export function withUserData(spec: Spec, where: string, read: (file: string) => Uint8Array | string): Spec {
  const files = userDataFiles(spec).map((file) => [file, textOf(read(file))] as const);
  if (files.length === 0) return spec;
  const wrong = new Map(files.flatMap(([file, { why }]) => (why === undefined ? [] : [[file, why]])));
  const refuse = (why: (file: string, pool: string, index: number) => string | undefined): void => {
    const problems = Object.entries(spec.pools).flatMap(([pool, { userData = [] }]) =>
      userData.flatMap((file, index): Problem[] => {
        const message = file === null ? undefined : why(file, pool, index);
        return message === undefined
          ? []
          : [{ path: formatPath(["pools", pool, "userData", index]), message }];
      }),
    );
    if (problems.length > 0) throw new SpecError(where, problems);
  };
  refuse((file) => wrong.get(file));
  const userData = Object.fromEntries(files.map(([file, { text }]) => [file, text ?? ""]));
  const whole = { ...spec, userData };
  const sizes = new Map(
    groupsOf(whole).map((group) => [
      group.name,
      new TextEncoder().encode(groupUserData(whole, group, `${group.name}-0000`)).length,
    ]),
  );
  refuse((file, pool, index) => {
    const size = sizes.get(`${pool}-${String(index)}`) ?? 0;
    return size > MOST_BYTES
      ? `${file} makes ${String(size)} bytes of user data with what this program writes; expected at most ${String(MOST_BYTES)}, so let it fetch the rest`
      : undefined;
  });
  return whole;
}

/**
 * {@link withUserData} for what plans nothing: a file that cannot be taken counts as another text than any, so that its groups
 * differ from what is deployed and nobody else is kept from looking.
 * @returns what is wrong with the files, too
 */
export function withUserDataAsFound(...[spec, where, read]: Parameters<typeof withUserData>): {
  readonly spec: Spec;
  readonly wrong?: string;
} {
  try {
    return { spec: withUserData(spec, where, read) };
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    const texts = userDataFiles(spec).map((file) => [file, textOf(read(file)).text ?? UNREAD] as const);
    return { spec: { ...spec, userData: Object.fromEntries(texts) }, wrong: error.message };
  }
}

/** An edited spec with the texts of the one that was read. */
export const withTextsOf = ({ userData }: Spec, edited: Spec): Spec =>
  userData ? { ...edited, userData } : edited;

/** Other letters than these arrive broken where cloud-init is given several parts. */
function textOf(read: Uint8Array | string): { readonly text?: string; readonly why?: string } {
  if (typeof read === "string") return { why: read };
  const odd = read.findIndex((byte) => byte > 126 || (byte < 32 && ![9, 10, 13].includes(byte)));
  if (odd >= 0) {
    const line = read.subarray(0, odd).filter((byte) => byte === 10).length + 1;
    return {
      why: `got a byte that is no ASCII text in line ${String(line)}; expected a script or cloud-config in ASCII`,
    };
  }
  const text = new TextDecoder().decode(read);
  if (/^#[^\n]*\r/.test(text))
    return {
      why: "got a file whose lines end with CR LF; expected LF alone, or a script finds no interpreter, and another checkout has another text; .gitattributes keeps it so: *.sh text eol=lf",
    };
  return /^#(!|cloud-config\s*$)/m.exec(text)?.index === 0
    ? { text }
    : {
        why: "got a file that begins with neither #! nor #cloud-config; expected one of them as its first line, by which cloud-init tells what it is",
      };
}
