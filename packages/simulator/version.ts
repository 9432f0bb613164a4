/** Whether a version comes before another one, such as `1.10.1`. What stands behind a hyphen is not looked at. */
export function isBefore(version: string, other: string): boolean {
  const [one, two] = [version, other].map((each) =>
    each
      .replace(/[-+].*/, "")
      .split(".")
      .map(Number),
  );
  const index = (one ?? []).findIndex((part, at) => part !== two?.[at]);
  return index !== -1 && (one?.[index] ?? 0) < (two?.[index] ?? 0);
}
