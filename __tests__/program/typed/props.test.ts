import { expect, test } from "@jest/globals";
import type * as z from "zod";
import type { specSchema } from "../../../cluster/yaml/schema.js";
import type {
  AwsProps,
  BackendProps,
  ClientPoolProps,
  LocalProps,
  RolloutProps,
  ServerPoolProps,
} from "../../../index.js";

type Spec = z.input<typeof specSchema>;
type OnAws = Extract<Spec, { platform: "aws" }>;
type OnLocal = Extract<Spec, { platform: "local" }>;

/** Deeply readonly, without what is undefined, and without keys that are named only to be refused. */
type Normal<T> = T extends readonly unknown[]
  ? { readonly [K in keyof T]: Normal<T[K]> }
  : T extends object
    ? {
        readonly [K in keyof T as [Exclude<T[K], undefined>] extends [never] ? never : K]: Normal<
          Exclude<T[K], undefined>
        >;
      }
    : T;

// As a type of a function, so that the two are compared as they stand and not by what can be assigned.
/* eslint-disable @typescript-eslint/no-unnecessary-type-parameters */
type Same<A, B> =
  (<T>() => T extends Normal<A> ? 1 : 2) extends <T>() => T extends Normal<B> ? 1 : 2 ? true : false;

/* eslint-enable @typescript-eslint/no-unnecessary-type-parameters */

/** Does not compile where one has a key, a value or a `?` that the other has not. */
const same = <A, B>(is: Same<A, B>): boolean => is;

test("the props are what the schema reads, no more and no less", () => {
  expect([
    same<ClientPoolProps, Spec["pools"][string]>(true),
    same<ServerPoolProps, Spec["pools"]["consul-server"]>(true),
    same<ServerPoolProps, Spec["pools"]["nomad-server"]>(true),
    same<AwsProps, OnAws["aws"]>(true),
    same<LocalProps, NonNullable<OnLocal["local"]>>(true),
    same<BackendProps, Spec["backend"]>(true),
    same<RolloutProps, NonNullable<Spec["rollout"]>>(true),
  ]).not.toContain(false);
});

test("a key more or less, another value and a key that may be missing are told apart", () => {
  expect([
    same<{ a: 1 }, { a: 1; b: 2 }>(false),
    same<{ a: 1 }, { a: 2 }>(false),
    same<{ a: 1 }, { a?: 1 }>(false),
    same<{ a: { b: 1 }[] }, { a: { b: 2 }[] }>(false),
    same<[1, 2], [1, 2, 3]>(false),
  ]).not.toContain(true);
});
