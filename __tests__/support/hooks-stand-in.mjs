// Loaded into every Node process of a deployment whose machines are stand-ins: there are no agents that a hook could ask.
// What hooks do is tested beside them, in __tests__/hooks.
const [, program = "", verb, ...words] = process.argv;
if (program.endsWith("/rollout.js") && verb === "hook") {
  console.log(`stand-in for: hook ${words.join(" ")}`);
  process.exit(0);
}
