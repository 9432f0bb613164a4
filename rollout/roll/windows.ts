import type { Spec } from "../../cluster/yaml/schema.js";

export type Window = NonNullable<Spec["rollout"]["windows"]>[number];

/** Whether a group may begin, and how long that stays so. Milliseconds since 1970. */
export type Opening = { readonly closes: number } | { readonly opens: number };

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Far enough for a window of one day a week that one change of the clock swallows. */
const DAYS_AHEAD = 15;

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

/** Where windows touch or overlap they are one. */
export function openingAt(windows: readonly Window[], at: number): Opening {
  const spans = windows
    .flatMap((window) => spansOf(window, at))
    .filter(([start, end]) => end > Math.max(start, at))
    .sort(([one], [other]) => one - other);
  const [first = [Infinity, Infinity]] = spans;
  if (first[0] > at) return { opens: first[0] };
  return {
    closes: spans.reduce((closes, [start, end]) => (start <= closes ? Math.max(closes, end) : closes), at),
  };
}

/** When a window is open, from a day ago on. */
function spansOf({ days, from, to, zone }: Window, at: number): [start: number, end: number][] {
  const here = at + offsetAt(zone, at);
  const today = here - (((here % DAY) + DAY) % DAY);
  const [begins, until] = [minutesOf(from) * MINUTE, minutesOf(to) * MINUTE];
  const ends = until > begins ? until : until + DAY;
  return Array.from({ length: DAYS_AHEAD + 1 }, (_, index) => today + (index - 1) * DAY).flatMap((day) => {
    const name = DAYS[new Date(day).getUTCDay()];
    if (!days.some((each) => each === name)) return [];
    return [[instantOf(zone, day + begins), instantOf(zone, day + ends)] as [number, number]];
  });
}

function minutesOf(time: string): number {
  const [hours, minutes] = time.split(":").map(Number);
  return (hours ?? 0) * 60 + (minutes ?? 0);
}

/**
 * When a clock on the wall shows a time: the first time where it does so twice, and where it skips the time, as long after as
 * the skip is.
 * @param wall as though it were UTC
 */
function instantOf(zone: string, wall: number): number {
  const [before, after] = [offsetAt(zone, wall - DAY), offsetAt(zone, wall + DAY)];
  const shown = [wall - before, wall - after].filter((instant) => instant + offsetAt(zone, instant) === wall);
  return shown.length > 0 ? Math.min(...shown) : wall - before;
}

/** How far a zone's clock is ahead of UTC. Milliseconds. */
function offsetAt(zone: string, instant: number): number {
  const parts = new Map(
    formatFor(zone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const wall = Date.UTC(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour"),
    part("minute"),
    part("second"),
  );
  return wall - Math.floor(instant / 1000) * 1000;
}

/** One is dear to make, and of a zone always the same. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatFor(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    ...{ year: "numeric", month: "numeric", day: "numeric" },
    ...{ hour: "numeric", minute: "numeric", second: "numeric" },
  });
  formats.set(zone, made);
  return made;
}
