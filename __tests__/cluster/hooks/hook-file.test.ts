import { expect, test } from "@jest/globals";
import { formatHookFile, parseHookFile } from "../../../cluster/hooks/hook-file.js";
import { deployedAs, exampleSpec, localSpec, nothing, withGroup } from "../../support/fixtures.js";

test("what a stack was made from comes back whole, defaults and all", () => {
  for (const spec of [exampleSpec(), localSpec()]) {
    const { spec: read, deployed } = parseHookFile(
      formatHookFile({ spec, deployed: deployedAs(spec), specFolder: "../.." }),
    );
    expect(read).toEqual(spec);
    expect(deployed).toHaveLength(12);
    expect(deployed.find(({ name }) => name === "broker-1")).toEqual({
      name: "broker-1",
      hosts: ["broker-1-0", "broker-1-1", "broker-1-2"],
      images: ["ami-0aaa"],
      revision: { number: 1, image: "ami-0aaa" },
    });
  }
});

test("groups that have never stood are not among the deployed ones", () => {
  const spec = localSpec();
  const deployed = withGroup(deployedAs(spec), "broker-1", { revisions: [] });
  const names = (text: string): string[] => parseHookFile(text).deployed.map(({ name }) => name);
  expect(names(formatHookFile({ spec, deployed, specFolder: ".." }))).not.toContain("broker-1");
  expect(names(formatHookFile({ spec, deployed: nothing(), specFolder: ".." }))).toEqual([]);
});

test.each(["", "{", "[]", '{"spec":{},"deployed":[]}'])("refuses a damaged file: %s", (text) => {
  expect(() => parseHookFile(text)).toThrow(
    "hooks.json is damaged, or of another version of this program; synthesize again",
  );
});
