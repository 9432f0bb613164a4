/** Environment variables. Where one is given to a function, it is merged over the process's own. */
export type Environment = Readonly<Record<string, string | undefined>>;
