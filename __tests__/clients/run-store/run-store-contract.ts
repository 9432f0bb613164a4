import { expect, test } from "@jest/globals";
import type { RunStore } from "../../../clients/run-store/run-store.js";

/** What every run store does. @param create makes an empty one; more of the same see the same */
export function runStoreContract(create: () => RunStore): void {
  test("an object is there once it is written, with an age of the store's own", async () => {
    const [store, other] = [create(), create()];
    expect(await store.read("lock")).toBeUndefined();

    const tag = await store.write("lock", "one", undefined);

    expect(tag).toBeDefined();
    const found = await other.read("lock");
    expect(found).toMatchObject({ text: "one", tag });
    expect(found?.ageMs).toBeGreaterThanOrEqual(0);
    expect(found?.ageMs).toBeLessThan(60_000);
  });

  test("refuses to write where something is that was not seen", async () => {
    const store = create();
    await store.write("lock", "one", undefined);

    expect(await store.write("lock", "two", undefined)).toBeUndefined();

    expect((await store.read("lock"))?.text).toBe("one");
  });

  test("refuses to write over what was written after it was seen", async () => {
    const store = create();
    const first = await store.write("lock", "one", undefined);
    const second = await store.write("lock", "two", first);
    expect(second).toBeDefined();

    expect(await store.write("lock", "three", first)).toBeUndefined();

    expect(await store.read("lock")).toMatchObject({ text: "two", tag: second });
    expect(await store.write("lock", "four", second)).toBeDefined();
  });

  test("refuses to write over what was never there", async () => {
    const store = create();
    const tag = await store.write("hold", "one", undefined);

    expect(await store.write("lock", "two", tag)).toBeUndefined();

    expect(await store.read("lock")).toBeUndefined();
  });

  test("of many that write at once one does, again and again", async () => {
    const stores = Array.from({ length: 8 }, create);
    let seen: string | undefined;
    for (const round of ["a", "b", "c"]) {
      const tags = await Promise.all(
        stores.map((store, number) => store.write("lock", `${round} ${String(number)}`, seen)),
      );
      const written = tags.flatMap((tag, number) => (tag === undefined ? [] : [{ tag, number }]));
      expect(written).toHaveLength(1);
      const [{ tag, number } = { tag: "", number: -1 }] = written;
      expect(await stores[0]?.read("lock")).toMatchObject({ text: `${round} ${String(number)}`, tag });
      seen = tag;
    }
  });

  test("what begins alike is listed in its order, and a tag tells what has changed", async () => {
    const store = create();
    expect(await store.list("log/")).toEqual([]);
    await store.write("log/b-0001", "b", undefined);
    const tag = await store.write("log/a-0001", "a", undefined);
    await store.write("lock", "l", undefined);
    const before = await store.list("log/");
    expect(before.map(({ name }) => name)).toEqual(["log/a-0001", "log/b-0001"]);
    expect(before[0]?.tag).toBe(tag);

    const changed = await store.write("log/a-0001", "a2", tag);

    expect(await store.list("log/")).toEqual([{ name: "log/a-0001", tag: changed }, before[1]]);
  });

  test("keeps what people write, letter for letter", async () => {
    const store = create();
    const text = '{"reason":"„Größe“ – 漢字 \\n"}\n';
    await store.write("hold", text, undefined);
    expect((await store.read("hold"))?.text).toBe(text);
  });
}
