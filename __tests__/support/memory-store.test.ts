import { beforeEach, describe } from "@jest/globals";
import { runStoreContract } from "../clients/run-store/run-store-contract.js";
import { MemoryStore } from "./memory-store.js";

describe("A run store in memory", () => {
  let objects: MemoryStore["objects"];

  beforeEach(() => {
    objects = new Map();
  });

  runStoreContract(() => new MemoryStore(Date.now, objects));
});
