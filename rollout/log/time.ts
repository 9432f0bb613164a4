import type { Hold } from "../../cluster/run/hold.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long something took: `8s`, `2m05s`, `1h02m`; what is nothing is left out, so that ten minutes are `10m`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < MINUTE) return `${String(whole)}s`;
  const [unit, part, length] = whole < HOUR ? ["m", "s", MINUTE] : ["h", "m", HOUR];
  const rest = Math.floor((whole % length) / (length / 60));
  return `${String(Math.floor(whole / length))}${unit}${rest === 0 ? "" : `${String(rest).padStart(2, "0")}${part}`}`;
}

/** How long something has lasted, as `kubectl` writes ages: `42s`, `6m`, `2h5m`, `3d`. A clock that was set back gives `0s`. */
export function formatAge(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < MINUTE) return `${String(whole)}s`;
  if (whole < HOUR) return `${String(Math.floor(whole / MINUTE))}m`;
  if (whole >= DAY) return `${String(Math.floor(whole / DAY))}d`;
  const minutes = Math.floor((whole % HOUR) / MINUTE);
  return `${String(Math.floor(whole / HOUR))}h${minutes === 0 ? "" : `${String(minutes)}m`}`;
}

/**
 * How long ago something was.
 * @param at ISO 8601
 * @param now milliseconds since 1970
 */
export const ageOf = (at: string, now: number): string => formatAge((now - Date.parse(at)) / 1000);

/** `2026-11-09 10:02` in UTC, as tables have it. */
export const formatMinute = (at: string): string => new Date(at).toISOString().slice(0, 16).replace("T", " ");

/** `09:12 UTC` on the day itself, else `2026-11-09 10:02 UTC`. */
export function formatTime(at: string, now: number): string {
  const minute = formatMinute(at);
  const isToday = minute.slice(0, 10) === new Date(now).toISOString().slice(0, 10);
  return `${isToday ? minute.slice(11) : minute} UTC`;
}

/** `since 09:12 UTC by ops@build-1, "waiting for the DBA"` */
export function describeHold({ since, by, reason, until }: Hold, now: number): string {
  const why = reason === undefined ? "" : `, ${JSON.stringify(reason)}`;
  const ends = until === undefined ? "" : ` until ${formatTime(until, now)}`;
  return `since ${formatTime(since, now)}${ends} by ${by}${why}`;
}
