/** The machines of a cluster on this one, as the platform keeps them in its run folder. */
export interface LocalCluster {
  list(): readonly {
    readonly name: string;
    /** Base URLs of its agents; a Consul server has no Nomad. */
    readonly consul: string;
    readonly nomad?: string | undefined;
  }[];
  /** Base URLs of the servers that run, between commas. */
  endpoints(): { readonly consul: string; readonly nomad: string };
  /** Ends everything of the cluster, be it left by a run that was killed; what it was, in words. */
  stopAll(): Promise<string[]>;
}
