import type { S3Client } from "@aws-sdk/client-s3";
import * as z from "zod";
import type { S3Backend } from "../../cluster/backend.js";
import { awsFailure } from "../aws/failure.js";
import {
  GetObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client as Client,
} from "../aws/s3-sdk.js";
import { clientSettings } from "../aws/settings.js";
import type { Clock } from "../clock.js";
import type { ListedObject, RunStore, StoredObject } from "./run-store.js";

/** How often a write is tried that S3 calls a conflict, or leaves without an answer. */
const TRIES = 5;

/**
 * A run store beside a state in S3: objects below the state's key, encrypted as it is. Nothing is overwritten unseen, since
 * each write has a condition.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export class S3Store implements RunStore {
  readonly where: string;
  readonly #client: S3Client;

  /** @param folder what the keys of its objects begin with */
  constructor(
    private readonly backend: S3Backend,
    private readonly clock: Pick<Clock, "pause">,
    private readonly folder = `${backend.key}.rollout/`,
  ) {
    const { bucket, key, region, usePathStyle = false } = backend;
    this.where = `s3://${bucket}/${key}.rollout`;
    this.#client = new Client({
      ...clientSettings({ region }),
      forcePathStyle: usePathStyle,
      // Services that speak S3 do not all know the newer checksums.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
    });
    this.#client.middlewareStack.add(
      (next) => async (args) => {
        const answer = await next(args);
        const { headers } = withHeaders.parse(answer.response);
        Object.assign(answer.output ?? {}, { date: headers["date"] });
        return answer;
      },
      { step: "deserialize", priority: "high" },
    );
  }

  async read(name: string): Promise<StoredObject | undefined> {
    try {
      const answer = await this.#client.send(new GetObjectCommand(this.#at(name)));
      const { LastModified, ETag = "", Body } = answer;
      const { date } = dated.parse(answer);
      return {
        text: (await Body?.transformToString()) ?? "",
        tag: ETag,
        ageMs:
          LastModified && date !== undefined ? Math.max(0, Date.parse(date) - LastModified.getTime()) : 0,
      };
    } catch (error) {
      if (statusOf(error) === 404 && nameOf(error) === "NoSuchKey") return undefined;
      throw this.#failure(error, "s3:GetObject");
    }
  }

  async write(name: string, text: string, seen: string | undefined): Promise<string | undefined> {
    const { kmsKeyId } = this.backend;
    for (let tries = 1; ; tries++) {
      try {
        const { ETag = "" } = await this.#client.send(
          new PutObjectCommand({
            ...this.#at(name),
            Body: text,
            ...(seen === undefined ? { IfNoneMatch: "*" } : { IfMatch: seen }),
            ...(kmsKeyId === undefined
              ? { ServerSideEncryption: "AES256" }
              : { ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKeyId }),
          }),
        );
        return ETag;
      } catch (error) {
        const status = statusOf(error);
        if (status === 404 && nameOf(error) === "NoSuchKey" && seen !== undefined) return undefined;
        const isConflict = status === 409 || status === 412;
        if (!isConflict && status !== undefined && status < 500) throw this.#failure(error, "s3:PutObject");
        // A try whose answer was lost, one of the SDK's own included, may have been done: the text tells.
        const found = await this.read(name);
        if (found?.text === text) return found.tag;
        if (status === 412) return undefined;
        if (tries === TRIES) throw this.#failure(error, "s3:PutObject");
        await this.clock.pause(tries * 200, new AbortController().signal);
      }
    }
  }

  async list(prefix: string): Promise<readonly ListedObject[]> {
    const found: ListedObject[] = [];
    const { bucket: Bucket } = this.backend;
    try {
      for await (const { Contents = [] } of paginateListObjectsV2(
        { client: this.#client },
        { Bucket, Prefix: `${this.folder}${prefix}` },
      ))
        for (const { Key = "", ETag = "" } of Contents)
          found.push({ name: Key.slice(this.folder.length), tag: ETag });
    } catch (error) {
      throw this.#failure(error, "s3:ListBucket");
    }
    return found;
  }

  #at(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.backend.bucket, Key: `${this.folder}${name}` };
  }

  #failure = (error: unknown, action: string): Error => awsFailure(error, `${action} on ${this.where}`);
}

const withHeaders = z.object({ headers: z.record(z.string(), z.string()) });
const dated = z.object({ date: z.string().optional() });
const failed = z.object({
  name: z.string().optional(),
  $metadata: z.object({ httpStatusCode: z.number().optional() }).optional(),
});

const statusOf = (error: unknown): number | undefined =>
  failed.safeParse(error).data?.$metadata?.httpStatusCode;
const nameOf = (error: unknown): string | undefined => failed.safeParse(error).data?.name;
