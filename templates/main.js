import { app } from "./app.js";

// What cdktf.json names: writes a stack for each view of the cluster.
await app.synth();
