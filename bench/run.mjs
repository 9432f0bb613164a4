/** `npm run bench` measures all, `npm run bench -- deploy` the driver, `npm run bench -- check` how plans are judged, `npm run bench -- 12 36` the synth of these sizes. */
const [first] = process.argv.slice(2);
if (first !== "check" && first !== "deploy") await import("./synth.mjs");
if (first === "check" || first === undefined) await import("./check.mjs");
if (first === "deploy" || first === undefined) await import("./deploy.mjs");
