#!/usr/bin/env node
import { fileURLToPath } from "node:url";
import { hooksOf } from "../program/hook-bundle.js";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// Terraform calls some dozens of hooks in a roll, so they come without what all the other verbs need.
await (process.argv[2] === "hook"
  ? import(hooksOf(process.cwd(), here(".")))
  : import("./rollout.js").then(({ runRollout }) => runRollout(here("../.."))));
