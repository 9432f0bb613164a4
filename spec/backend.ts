import type { Backend } from "./schema.js";

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
