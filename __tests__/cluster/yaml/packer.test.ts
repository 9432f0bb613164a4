import { expect, test } from "@jest/globals";
import { imageFromPackerManifest } from "../../../cluster/yaml/packer.js";
import { errorOf } from "./example.js";

test("takes the image of the last run for the region", () => {
  const text = manifest([
    { run: "run-1", artifact: "eu-west-1:ami-0old,us-east-1:ami-1old" },
    { run: "run-2", artifact: "eu-west-1:ami-0new,us-east-1:ami-1new" },
  ]);
  expect(imageFromPackerManifest(text, FILE, "eu-west-1")).toBe("ami-0new");
  expect(imageFromPackerManifest(text, FILE, "us-east-1")).toBe("ami-1new");
});

test("the last run counts, wherever its build stands in the list", () => {
  const builds = [
    { run: "run-2", artifact: "eu-west-1:ami-0new" },
    { run: "run-1", artifact: "eu-west-1:ami-0old" },
  ];
  expect(imageFromPackerManifest(manifest(builds), FILE, "eu-west-1")).toBe("ami-0new");
});

test("several builds of the last run may have made the same image", () => {
  const build = { run: "run-2", artifact: "eu-west-1:ami-0new" };
  expect(imageFromPackerManifest(manifest([build, build]), FILE, "eu-west-1")).toBe("ami-0new");
});

test("a manifest as Packer writes it is read", () => {
  const written = `{
  "builds": [
    {
      "name": "broker",
      "builder_type": "amazon-ebs",
      "build_time": 1732187000,
      "files": null,
      "artifact_id": "eu-west-1:ami-0abc",
      "packer_run_uuid": "b0c79aeb-a4ad-2f5b-fbee-c80bc6d4cc2f",
      "custom_data": { "commit": "1f3c" }
    }
  ],
  "last_run_uuid": "b0c79aeb-a4ad-2f5b-fbee-c80bc6d4cc2f"
}`;
  expect(imageFromPackerManifest(bytes(written), FILE, "eu-west-1")).toBe("ami-0abc");
});

test("refuses several images of the last run for the region, with all of them", () => {
  const text = manifest([
    { run: "run-1", artifact: "eu-west-1:ami-0old" },
    { run: "run-2", artifact: "eu-west-1:ami-0new", name: "broker" },
    { run: "run-2", artifact: "eu-west-1:ami-0two,us-east-1:ami-1two", name: "server" },
  ]);
  expect(refusal(text)).toMatchInlineSnapshot(
    `"packer-manifest.json: the last run made several images for eu-west-1: eu-west-1:ami-0new (build broker), eu-west-1:ami-0two (build server); write the one that you want, as GROUP=IMAGE"`,
  );
});

test("refuses a manifest without an image for the region, with what there is", () => {
  const text = manifest([{ run: "run-2", artifact: "eu-west-11:ami-0new,us-east-1:ami-1new" }]);
  expect(refusal(text)).toMatchInlineSnapshot(
    `"packer-manifest.json: the last run made no image for eu-west-1, only eu-west-11:ami-0new (build broker), us-east-1:ami-1new (build broker); build one for eu-west-1, or copy it there"`,
  );
});

test("refuses what another builder has made", () => {
  expect(
    refusal(manifest([{ run: "run-2", artifact: "sha256:9f86d081", name: "docker" }])),
  ).toMatchInlineSnapshot(
    `"packer-manifest.json: the last run made no image for eu-west-1, only sha256:9f86d081 (build docker); build one for eu-west-1, or copy it there"`,
  );
});

test("refuses a manifest without builds", () => {
  expect(refusal(manifest([]))).toMatchInlineSnapshot(
    `"packer-manifest.json: no builds in it; run packer build once more"`,
  );
});

test("refuses a manifest whose last run has no build", () => {
  expect(refusal(manifest([{ run: "run-1", artifact: "eu-west-1:ami-0old" }]))).toMatchInlineSnapshot(
    `"packer-manifest.json: no build of its last run, "run-2"; run packer build once more"`,
  );
});

test.each([
  ["an empty file", ""],
  ["a text", "ami-0abc"],
  ["half a manifest", '{"builds": ['],
])("refuses %s as no JSON", (_, text) => {
  expect(refusal(bytes(text))).toBe(
    "packer-manifest.json: not JSON; expected what Packer's manifest post-processor writes",
  );
});

test("refuses bytes that are no text", () => {
  expect(refusal(Uint8Array.from([0x7b, 0xff]))).toBe(
    "packer-manifest.json: not JSON; expected what Packer's manifest post-processor writes",
  );
});

test("refuses JSON that is no manifest", () => {
  expect(refusal(bytes('{"builds": [{"name": 7}, 3]}'))).toMatchInlineSnapshot(
    `"packer-manifest.json: not what Packer's manifest post-processor writes: builds[0].name: expected a text; builds[0].artifact_id: expected a text; builds[0].packer_run_uuid: expected a text; builds[1]: expected a map; last_run_uuid: expected a text"`,
  );
});

test.each([
  ["null", "it: expected a map"],
  ["[]", "it: expected a map"],
  ['{"last_run_uuid": "x"}', "builds: expected a list of builds"],
])("refuses %s", (text, what) => {
  expect(refusal(bytes(text))).toBe(
    `packer-manifest.json: not what Packer's manifest post-processor writes: ${what}`,
  );
});

const FILE = "packer-manifest.json";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const refusal = (text: Uint8Array): string => errorOf(() => imageFromPackerManifest(text, FILE, "eu-west-1"));

/** A manifest whose last run is `run-2`. */
function manifest(builds: readonly { run: string; artifact: string; name?: string }[]): Uint8Array {
  const written = builds.map(({ run, artifact, name = "broker" }) => ({
    name,
    builder_type: "amazon-ebs",
    build_time: 1732187000,
    files: null,
    artifact_id: artifact,
    packer_run_uuid: run,
    custom_data: null,
  }));
  return bytes(JSON.stringify({ builds: written, last_run_uuid: "run-2" }));
}
