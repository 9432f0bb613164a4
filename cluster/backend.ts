import { posix } from "node:path";
import type { Backend } from "./yaml/schema.js";

/** The backend in which a team shares a state. */
export type S3Backend = Extract<Backend, { type: "s3" }>;

/**
 * The body of Terraform's `backend "s3"` block: the same for the stacks and for reading their state. The state is
 * encrypted at rest and locked, by a lock file in the bucket unless a DynamoDB table is named. Credentials never stand
 * in it: they come from the environment.
 * @see https://developer.hashicorp.com/terraform/language/backend/s3
 */
export function s3BackendBlock(backend: S3Backend): Record<string, unknown> {
  const { bucket, key, region, dynamodbTable, kmsKeyId, usePathStyle } = backend;
  return {
    bucket,
    key,
    region,
    encrypt: true,
    ...(dynamodbTable === undefined ? { use_lockfile: true } : { dynamodb_table: dynamodbTable }),
    ...(kmsKeyId === undefined ? {} : { kms_key_id: kmsKeyId }),
    ...(usePathStyle === undefined ? {} : { use_path_style: usePathStyle }),
  };
}

/** The path of a local state, from the folder of a stack. */
export const localPathOf = ({ path }: Extract<Backend, { type: "local" }>, specFolder: string): string =>
  path.startsWith("/") ? path : posix.join(specFolder, path);
