import { expect, test } from "@jest/globals";
import type { HostPoolProps } from "../../constructs/host-pool.js";
import type { Three } from "../../cluster/three.js";

/** True where a value of the type may stand for the other. Both are checked by the compiler, not when the tests run. */
type Fits<From, To> = [From] extends [To] ? true : false;

test("a value for each of three groups: two, four or any number do not compile", () => {
  const fits: [
    Fits<readonly [string, string, string], Three<string>>,
    Fits<readonly [string, string], Three<string>>,
    Fits<readonly [string, string, string, string], Three<string>>,
    Fits<readonly string[], Three<string>>,
    Fits<readonly [string, string, number], Three<string>>,
  ] = [true, false, false, false, false];
  expect(fits).toEqual([true, false, false, false, false]);
});

test("pools take three groups", () => {
  type Group = HostPoolProps["groups"][0];
  const fits: [
    Fits<readonly [Group, Group, Group], HostPoolProps["groups"]>,
    Fits<readonly [Group, Group], HostPoolProps["groups"]>,
  ] = [true, false];
  expect(fits).toEqual([true, false]);
});
