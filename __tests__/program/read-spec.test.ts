import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { filesIn, isPlain, pinSpec, readSpec } from "../../program/read-spec.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rollout-read-spec-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("refuses a device, which has no end", () => {
  expect(refusalOf("/dev/null")).toBe(
    "cannot read /dev/null: it is a device or a pipe; name the spec by CLUSTER=FILE, or copy cluster.example.yaml to cluster.yaml",
  );
});

test("refuses a folder", () => {
  expect(refusalOf(".")).toBe(
    "cannot read .: it is a folder; name the spec by CLUSTER=FILE, or copy cluster.example.yaml to cluster.yaml",
  );
});

test("refuses a file that is missing", () => {
  expect(refusalOf("prod.yaml")).toBe(
    "cannot read prod.yaml: there is no such file; name the spec by CLUSTER=FILE, or copy cluster.example.yaml to cluster.yaml",
  );
});

test("refuses a file of gigabytes before it reads it", () => {
  writeFileSync(join(folder, "huge.yaml"), "");
  truncateSync(join(folder, "huge.yaml"), 3_000_000_000);
  expect(refusalOf("huge.yaml")).toBe(
    "cannot read huge.yaml: it has 3000000000 bytes; name the spec by CLUSTER=FILE, or copy cluster.example.yaml to cluster.yaml",
  );
});

test("reads a spec, and the example where there is none", () => {
  expect(readSpec({}, folder)).toMatchObject({ shown: "cluster.example.yaml", isExample: true });
  copyFileSync(readSpec({}, folder).file, join(folder, "cluster.yaml"));
  expect(readSpec({}, folder)).toMatchObject({ shown: "cluster.yaml", isExample: false });
});

test("refuses to go on with the example where a run's spec is deleted", () => {
  copyFileSync(readSpec({}, folder).file, join(folder, "cluster.yaml"));
  const { CLUSTER } = pinSpec({}, readSpec({}, folder));
  rmSync(join(folder, "cluster.yaml"));
  expect(refusalOf(CLUSTER)).toBe(
    "cannot read cluster.yaml: there is no such file; name the spec by CLUSTER=FILE, or copy cluster.example.yaml to cluster.yaml",
  );
});

test("a file is taken from where it lies, and a symbolic link on the way to it is refused", () => {
  const link =
    "got a path over a symbolic link, of which git keeps no text; expected the path of the file itself, such as ../shared/boot.sh";
  mkdirSync(join(folder, "prod"));
  mkdirSync(join(folder, "shared"));
  writeFileSync(join(folder, "shared", "boot.sh"), "#!/bin/sh\n");
  symlinkSync("../shared/boot.sh", join(folder, "prod", "boot.sh"));
  symlinkSync("../shared", join(folder, "prod", "scripts"));
  const read = filesIn(join(folder, "prod"));
  expect(read("boot.sh")).toBe(link);
  expect(read("scripts/boot.sh")).toBe(link);
  expect(String(read("../shared/boot.sh"))).toBe("#!/bin/sh\n");
  // That of the spec itself may be one.
  symlinkSync(join(folder, "prod"), join(folder, "now"));
  expect(String(filesIn(join(folder, "now"))("../shared/boot.sh"))).toBe("#!/bin/sh\n");
});

test("an app adds nothing where it is none or this project's own main.ts, and not where a user's has that name", () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const appIs = (app: string): boolean => {
    writeFileSync(join(folder, "cdktf.json"), JSON.stringify({ app }));
    return isPlain(folder);
  };
  expect(isPlain(folder)).toBe(true);
  expect(appIs(`"node" "${root}dist/main.js"`)).toBe(true);
  expect(appIs("npm run --silent build && node dist/main.js")).toBe(false);
  expect(appIs("node main.js")).toBe(false);
  expect(isPlain(root)).toBe(true);
  symlinkSync(root, join(folder, "link"));
  expect(isPlain(join(folder, "link"))).toBe(true);
});

test("a run of the example stays one", () => {
  expect(readSpec(pinSpec({}, readSpec({}, folder)), folder)).toMatchObject({ isExample: true });
});

function refusalOf(name: string | undefined): string {
  try {
    readSpec({ CLUSTER: name }, folder);
    return "accepted";
  } catch (error) {
    return (error as Error).message;
  }
}
