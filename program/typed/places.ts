import type { Three } from "../../cluster/three.js";

/** What all machines on AWS share. A changed subnet, key or profile reaches a group when it is rolled next. */
export interface AwsProps {
  /** Such as `eu-west-1`. */
  readonly region: string;
  readonly vpcId: string;
  /** Group i of every pool lives in subnet i: three zones, so that losing one takes one group. */
  readonly subnetIds: Three<string>;
  /** The key pair of every machine. Default: none. */
  readonly keyName?: string;
  /** The instance profile of every machine. Default: none. */
  readonly instanceProfile?: string;
  /** Further security groups for every machine. Default: none. */
  readonly securityGroupIds?: readonly string[];
  /** Accounts and aliases whose images are rolled besides this account's. Default: none. */
  readonly imageOwners?: readonly string[];
  /** The exact version of the AWS provider. Default: the one that the bindings were made from. */
  readonly providerVersion?: string;
}

/** Machines on your own computer. */
export interface LocalProps {
  /** What runs on them; `real`: consul and nomad from the PATH, on Linux. Default: none. */
  readonly agents?: "none" | "simulated" | "real";
  /** How many times as fast as real time simulated agents live, 1 to 1000. Default: 1. */
  readonly speed?: number;
}

/** Where a cluster's machines are. */
export type Place =
  | { readonly platform: "aws"; readonly aws: AwsProps }
  | { readonly platform: "local"; readonly local?: LocalProps };

/** Machines on EC2. */
export const aws = (props: AwsProps): Place => ({ platform: "aws", aws: props });

/** The same graph of Terraform's built-in `terraform_data`, on your own computer. */
export const local = (props?: LocalProps): Place => ({
  platform: "local",
  ...(props ? { local: props } : {}),
});

/** A state in a bucket. */
export interface S3Props {
  readonly bucket: string;
  /** Every cluster has one of its own. */
  readonly key: string;
  readonly region: string;
  /** Locks by this DynamoDB table. Default: a lock file in the bucket. */
  readonly dynamodbTable?: string;
  /** Default: what the bucket does by itself. */
  readonly kmsKeyId?: string;
  /** For stores that are not AWS's own. Default: false. */
  readonly usePathStyle?: boolean;
}

/** Where the Terraform state lies. Every view of the cluster has the same. */
export type BackendProps =
  ({ readonly type: "s3" } & S3Props) | { readonly type: "local"; readonly path: string };

/** A state in a bucket, which a team shares. */
export const s3 = (props: S3Props): BackendProps => ({ type: "s3", ...props });

/** A state in a file, by its path from the folder of the program. */
export const file = (path: string): BackendProps => ({ type: "local", path });

/** The same value for each of the three groups. */
export const three = <T>(value: T): Three<T> => [value, value, value];
