/**
 * Looks again and again until something is there. What fails meanwhile counts as not there yet.
 * @param tell what to say beside, when time is up
 */
export async function until<T>(
  what: string,
  look: () => Promise<T> | T,
  {
    seconds = 180,
    tell = () => "",
  }: { readonly seconds?: number; readonly tell?: () => Promise<string> | string } = {},
): Promise<NonNullable<T>> {
  const end = performance.now() + seconds * 1000;
  let last = "";
  while (performance.now() < end) {
    try {
      last = "";
      const found = await look();
      if (found !== undefined && found !== null && found !== false) return found;
    } catch (error) {
      last = String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`within ${String(seconds)} s it did not come to this: ${what}; ${last}\n${await tell()}`);
}
