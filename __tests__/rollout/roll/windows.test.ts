import { describe, expect, jest, test } from "@jest/globals";
import { openingAt, type Window } from "../../../rollout/roll/windows.js";

const ALL = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** What is said at a time, in UTC. */
function at(time: string, ...windows: readonly Partial<Window>[]): string {
  const whole = windows.map((window) => ({
    ...{ days: [...ALL], from: "22:00", to: "05:00", zone: "UTC" },
    ...window,
  }));
  const opening = openingAt(whole, Date.parse(time));
  const shown = (instant: number): string => new Date(instant).toISOString().slice(0, 16);
  return "opens" in opening ? `opens ${shown(opening.opens)}` : `closes ${shown(opening.closes)}`;
}

test("is open from its first moment, and closed from its last", () => {
  expect(at("2026-11-30T21:59:59.999Z", {})).toBe("opens 2026-11-30T22:00");
  expect(at("2026-11-30T22:00:00Z", {})).toBe("closes 2026-12-01T05:00");
  expect(at("2026-12-01T04:59:59.999Z", {})).toBe("closes 2026-12-01T05:00");
  expect(at("2026-12-01T05:00:00Z", {})).toBe("opens 2026-12-01T22:00");
});

test("a day is that on which it opens", () => {
  const sunday: Partial<Window> = { days: ["sun"] };
  expect(at("2026-11-30T03:00:00Z", sunday)).toBe("closes 2026-11-30T05:00");
  expect(at("2026-11-30T23:00:00Z", sunday)).toBe("opens 2026-12-06T22:00");
  // Monday in Auckland is Sunday in UTC.
  expect(
    at("2026-11-29T12:30:00Z", { days: ["mon"], from: "01:00", to: "02:00", zone: "Pacific/Auckland" }),
  ).toBe("closes 2026-11-29T13:00");
});

test("windows that touch or overlap are one, and those that do not are not", () => {
  const [one, next, apart] = [
    { from: "08:00", to: "10:00" },
    { from: "10:00", to: "12:00" },
    { from: "12:01", to: "13:00" },
  ];
  expect(at("2026-12-01T09:00:00Z", apart, next, one)).toBe("closes 2026-12-01T12:00");
  expect(at("2026-12-01T12:00:00Z", one, next, apart)).toBe("opens 2026-12-01T12:01");
  expect(at("2026-12-01T09:00:00Z", { from: "00:00", to: "00:00" })).toMatch(/^closes 2026-12-1/);
});

test("a zone's clock is made once, however often it is looked at", () => {
  const made = jest.spyOn(Intl, "DateTimeFormat");
  const chatham = { zone: "Pacific/Chatham" };
  expect(at("2026-11-30T09:00:00Z", chatham)).toBe("closes 2026-11-30T15:15");
  expect(at("2026-12-03T09:00:00Z", chatham, { ...chatham, from: "05:00" })).toMatch(/^closes /);
  const calls = made.mock.calls.length;
  made.mockRestore();
  expect(calls).toBe(1);
});

describe("where the clock is changed", () => {
  const berlin = { zone: "Europe/Berlin" };

  test("in spring, what opens in the hour that is missing opens as much later", () => {
    const early = { ...berlin, from: "02:30", to: "04:00" };
    expect(at("2026-03-29T00:59:00Z", early)).toBe("opens 2026-03-29T01:30");
    expect(at("2026-03-29T01:30:00Z", early)).toBe("closes 2026-03-29T02:00");
    expect(at("2026-03-28T01:30:00Z", early)).toBe("closes 2026-03-28T03:00");
    // What has no moment is skipped.
    expect(at("2026-03-29T00:59:00Z", { ...berlin, days: ["sun"], from: "02:10", to: "03:10" })).toBe(
      "opens 2026-04-05T00:10",
    );
  });

  test("in autumn, what opens in the hour that comes twice opens the first time, and closes the first time", () => {
    expect(at("2026-10-24T23:00:00Z", { ...berlin, from: "02:30", to: "04:00" })).toBe(
      "opens 2026-10-25T00:30",
    );
    expect(at("2026-10-25T00:30:00Z", { ...berlin, from: "02:30", to: "04:00" })).toBe(
      "closes 2026-10-25T03:00",
    );
    expect(at("2026-10-25T00:15:00Z", { ...berlin, from: "01:00", to: "02:30" })).toBe(
      "closes 2026-10-25T00:30",
    );
    expect(at("2026-10-25T00:45:00Z", { ...berlin, from: "01:00", to: "02:30" })).toBe(
      "opens 2026-10-26T00:00",
    );
  });

  test("a night is an hour shorter in spring, and an hour longer in autumn", () => {
    const night = { ...berlin, from: "22:00", to: "06:00" };
    expect(at("2026-03-28T21:00:00Z", night)).toBe("closes 2026-03-29T04:00");
    expect(at("2026-10-24T20:00:00Z", night)).toBe("closes 2026-10-25T05:00");
  });
});
