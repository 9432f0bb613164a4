/** More than a reader takes in; the rest is counted. `subjects` of a violation has all. */
const MOST = 8;

/** `a, b, c and 15 more` */
export function listed(subjects: readonly string[]): string {
  const shown = subjects.length > MOST + 1 ? subjects.slice(0, MOST) : subjects;
  const more = subjects.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${String(more)} more` : shown.join(", ");
}
