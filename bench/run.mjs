/**
 * `npm run bench` measures all but what is asked of AWS; `-- deploy` the driver, `-- requests` what its plan asks of AWS,
 * `-- check` how plans are judged, `-- scale` what a host more costs, `-- 12 36` the synth of these sizes.
 */
const [first] = process.argv.slice(2);
if (!["check", "deploy", "requests", "scale"].includes(first)) await import("./synth.mjs");
if (first === "check" || first === undefined) await import("./check.mjs");
if (first === "deploy" || first === undefined) await import("./deploy.mjs");
if (first === "requests") await import("./requests.mjs");
if (first === "scale") await import("./scale.mjs");
