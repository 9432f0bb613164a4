import { expect, test } from "@jest/globals";
import { s3BackendBlock } from "../../cluster/backend.js";

const backend = { type: "s3", bucket: "states", key: "demo.tfstate", region: "eu-west-1" } as const;

test("a state in s3 is encrypted, and locked by a file in the bucket", () => {
  expect(s3BackendBlock(backend)).toEqual({
    bucket: "states",
    key: "demo.tfstate",
    region: "eu-west-1",
    encrypt: true,
    use_lockfile: true,
  });
});

test("a DynamoDB table takes the lock file's place; keys and path style are passed on", () => {
  const full = { ...backend, dynamodbTable: "locks", kmsKeyId: "alias/states", usePathStyle: true };
  expect(s3BackendBlock(full)).toEqual({
    bucket: "states",
    key: "demo.tfstate",
    region: "eu-west-1",
    encrypt: true,
    dynamodb_table: "locks",
    kms_key_id: "alias/states",
    use_path_style: true,
  });
});
