import { expect, test } from "@jest/globals";
import { type Leftover, takeDown } from "./take-down.js";

test("takes down what others use once they are gone, and says what it was", async () => {
  const cloud = new Cloud(["instance i-1", "volume vol-1", "volume vol-2"]);
  // A volume goes after the machine.
  cloud.refuses = (thing) =>
    thing.startsWith("volume") && cloud.things.some((each) => each.startsWith("instance"));
  cloud.takesOneLook = true;
  const said: string[] = [];
  expect(await takeDown(cloud.find, { minutes: 1, pause, say: (line) => said.push(line) })).toEqual([]);
  expect(cloud.things).toEqual([]);
  expect(said).toEqual([
    "taking down the instance i-1",
    "taking down the volume vol-1",
    "taking down the volume vol-2",
    "taken down: 1 instance, 2 volumes",
  ]);
});

test("takes down what shows only after a look that found nothing", async () => {
  const cloud = new Cloud([]);
  cloud.late = ["instance i-9"];
  expect(await takeDown(cloud.find, { minutes: 1, pause, say: () => undefined })).toEqual([]);
  expect(cloud).toMatchObject({ things: [], late: [] });
});

test("goes on after a look that failed", async () => {
  const cloud = new Cloud(["instance i-1"]);
  cloud.failures = 1;
  expect(await takeDown(cloud.find, { minutes: 1, pause, say: () => undefined })).toEqual([]);
  expect(cloud.things).toEqual([]);
});

test("rejects what does not go, with the reason, when time is up", async () => {
  const cloud = new Cloud(["instance i-1", "security group sg-1"]);
  cloud.refuses = (thing) => thing.startsWith("security");
  expect(await takeDown(cloud.find, { minutes: 0, pause, say: () => undefined })).toEqual([
    "the instance i-1",
    "the security group sg-1: in use",
  ]);
  cloud.failures = 1;
  expect(await takeDown(cloud.find, { minutes: 0, pause, say: () => undefined })).toEqual(["no answer"]);
});

const pause = (): Promise<void> => Promise.resolve();

/** What there is, as `instance i-1`. */
class Cloud {
  /** Whether what is removed is seen once more. */
  takesOneLook = false;
  /** Seen from the second look on. */
  late: string[] = [];
  failures = 0;
  refuses: (thing: string) => boolean = () => false;
  #going: string[] = [];

  constructor(public things: string[]) {}

  readonly find = (): Promise<readonly Leftover[]> => {
    if (this.failures-- > 0) return Promise.reject(new Error("no answer"));
    const seen = this.things;
    this.things = [...seen.filter((thing) => !this.#going.includes(thing)), ...this.late.splice(0)];
    return Promise.resolve(seen.map((thing) => this.#leftover(thing)));
  };

  #leftover(thing: string): Leftover {
    const at = thing.lastIndexOf(" ");
    return {
      kind: thing.slice(0, at),
      id: thing.slice(at + 1),
      remove: () => {
        if (this.refuses(thing)) return Promise.reject(new Error("in use"));
        if (this.takesOneLook) this.#going.push(thing);
        else this.things = this.things.filter((each) => each !== thing);
        return Promise.resolve();
      },
    };
  }
}
