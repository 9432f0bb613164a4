// Loaded when it is used, and only this much of the SDK gets into the bundle.
export { GetObjectCommand, paginateListObjectsV2, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
