import * as z from "zod";

/** What is of use in a line of `terraform apply -json`. */
export type ApplyEvent =
  /** Something is begun or done with a resource; a replacement is a `delete` and, often much later, a `create`. */
  | {
      readonly kind: "started" | "done" | "failed";
      readonly address: string;
      readonly action: string;
      /** Milliseconds since 1970, by Terraform's clock. */
      readonly at: number;
    }
  /** What was begun is not done yet, after so many seconds. */
  | { readonly kind: "lasts"; readonly address: string; readonly action: string; readonly seconds: number }
  /** What a hook of a resource says. */
  | { readonly kind: "said"; readonly address: string; readonly text: string }
  | {
      readonly kind: "error" | "warning";
      readonly summary: string;
      readonly detail: string;
      readonly address?: string;
    }
  /** A line that is no JSON, such as a warning about Terraform's own configuration. */
  | { readonly kind: "text"; readonly text: string };

const hook = z.object({
  resource: z.object({ addr: z.string() }),
  action: z.string().default(""),
  output: z.string().optional(),
  elapsed_seconds: z.number().default(0),
});

const diagnostic = z.object({
  severity: z.string(),
  summary: z.string(),
  detail: z.string().default(""),
  address: z.string().optional(),
});

const lineSchema = z.object({
  type: z.string(),
  "@timestamp": z.string().optional(),
  hook: z.unknown().optional(),
  diagnostic: z.unknown().optional(),
});

const KINDS = { apply_start: "started", apply_complete: "done", apply_errored: "failed" } as const;

/**
 * Reads one line. Types that this program does not know are normal in a newer Terraform, and nothing: what decides is the
 * exit code alone.
 */
export function readApplyLine(line: string): ApplyEvent | undefined {
  if (line.trim() === "") return undefined;
  const json = parse(line);
  if (json === undefined) return { kind: "text", text: line };
  const { type, hook: happening, diagnostic: said, "@timestamp": time } = json;
  switch (type) {
    case "apply_start":
    case "apply_complete":
    case "apply_errored": {
      const { data } = hook.safeParse(happening);
      if (!data) return undefined;
      const { action, resource } = data;
      return { kind: KINDS[type], address: resource.addr, action, at: Date.parse(time ?? "") };
    }
    case "apply_progress": {
      const { data } = hook.safeParse(happening);
      if (!data) return undefined;
      const { action, resource, elapsed_seconds: seconds } = data;
      return { kind: "lasts", address: resource.addr, action, seconds };
    }
    case "provision_progress": {
      const { data } = hook.safeParse(happening);
      return data?.output === undefined
        ? undefined
        : { kind: "said", address: data.resource.addr, text: data.output };
    }
    case "diagnostic": {
      const { data } = diagnostic.safeParse(said);
      if (!data) return undefined;
      const { severity, summary, detail, address } = data;
      const where = address === undefined ? {} : { address };
      return { kind: severity === "error" ? "error" : "warning", summary, detail, ...where };
    }
    default:
      return undefined;
  }
}

function parse(line: string): z.output<typeof lineSchema> | undefined {
  try {
    return lineSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Whole lines of a text that comes in pieces. */
export class Lines {
  #rest = "";

  constructor(private readonly take: (line: string) => void) {}

  add(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.take(line);
  }

  /** What is left is a line, too. */
  end(): void {
    if (this.#rest !== "") this.take(this.#rest);
    this.#rest = "";
  }
}
