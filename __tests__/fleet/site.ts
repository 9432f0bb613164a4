import type { AwsSettings } from "../../cluster/yaml/schema.js";

/** A machine that is up, by whatever way it is reached. */
export interface Host {
  readonly props: { readonly host: string; readonly address: string };
  /** Runs a program on it. An exit code other than 0 is an error. */
  run(words: readonly string[], options?: { readonly input?: string }): Promise<string>;
  /** For whoever has to find out why something failed. */
  journal(): Promise<string>;
  /** What is kept of it after a run, by kind. */
  logs(): Promise<Readonly<Record<string, string>>>;
}

/** Two versions of an image: what is rolled goes from one to the other. */
type Versions = readonly [string, string];

/** Where the scenarios' cluster stands: a fleet on this computer, or an AWS account. */
export interface Site {
  /** The cluster's name, which is also the value of its tag `rollout:cluster`. */
  readonly name: string;
  /** Of pools without and with a data volume. */
  readonly images: Readonly<Record<"plain" | "data", Versions>>;
  /** For Terraform and the product. */
  readonly env: Readonly<Record<string, string>>;
  /** What the spec says of AWS, once that is there. */
  settings(): Promise<AwsSettings>;
  /** The machines that are up, by the hosts' names. A host whose machine goes while its successor comes has both. */
  machines(pattern?: RegExp): readonly Host[];
  /** @throws where none is up as this host */
  machine(host: string): Host;
  /** A secret below `/rollout/NAME` in SSM, as machines fetch it. */
  putSecret(name: string, value: unknown): Promise<void>;
}
