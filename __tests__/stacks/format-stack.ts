/**
 * A synthesized stack as text to be read: a block for each resource, with what it is triggered by, what it runs, how it
 * is protected and what it comes after. A line for each value; maps and line breaks are written into one line.
 */
export function formatStack(json: string): string {
  const { terraform, provider, variable, data, locals, resource } = JSON.parse(json) as Stack;
  return [
    formatBlock("terraform", terraform),
    ...Object.entries({ ...provider }).flatMap(([name, bodies]) =>
      bodies.map((body) => formatBlock(`provider ${name}`, body)),
    ),
    ...Object.entries(variable).map(([name, body]) => formatBlock(`variable ${name}`, body)),
    ...Object.entries({ ...locals }).map(([name, body]) => formatBlock(`local ${name}`, body)),
    ...blocksOf(data).map(([name, body]) => formatBlock(`data ${name}`, body)),
    ...blocksOf(resource).map(([name, body]) => formatResource(name, body)),
  ].join("\n\n");
}

interface Stack {
  readonly terraform: Body;
  readonly provider?: Readonly<Record<string, readonly Body[]>>;
  readonly variable: Readonly<Record<string, Body>>;
  readonly data?: Blocks;
  readonly locals?: Readonly<Record<string, Body>>;
  readonly resource: Blocks;
}

type Body = Readonly<Record<string, unknown>>;
type Blocks = Readonly<Record<string, Readonly<Record<string, Body>>>>;

const blocksOf = (blocks: Blocks = {}): [address: string, body: Body][] =>
  Object.entries(blocks).flatMap(([type, byName]) =>
    Object.entries(byName).map(([name, body]): [string, Body] => [`${type}.${name}`, body]),
  );

/** All values but what cdktf notes for itself. */
const formatBlock = (title: string, body: Body): string =>
  [
    title,
    ...Object.entries(body).flatMap(([key, value]) => (key === "//" ? [] : [`  ${key} = ${inline(value)}`])),
  ].join("\n");

function formatResource(address: string, body: Body): string {
  const { lifecycle, depends_on: after, provisioner = [], ...rest } = body;
  const commands = (provisioner as readonly Provisioner[]).map((each) => each["local-exec"]);
  return [
    formatBlock(address, rest),
    ...commands.map(({ when = "create", command }) => `  on ${when}: ${command}`),
    ...commands.flatMap(({ environment }) => (environment ? [`  given: ${inline(environment)}`] : [])),
    ...(lifecycle ? [`  lifecycle: ${inline(lifecycle)}`] : []),
    ...(after ? [`  after: ${inline(after)}`] : []),
  ].join("\n");
}

interface Provisioner {
  readonly "local-exec": {
    readonly when?: string;
    readonly command: string;
    readonly environment?: Readonly<Record<string, string>>;
  };
}

/** `key: value, key: value` of a map, the items of a list, and texts without line breaks. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return value.map(nested).join(", ");
  if (!isMap(value)) return String(value).trimEnd().replaceAll(/\n */g, " ⏎ ");
  return Object.entries(value)
    .map(([key, item]) => `${key}: ${nested(item)}`)
    .join(", ");
}

const nested = (value: unknown): string =>
  Array.isArray(value) ? `[${inline(value)}]` : isMap(value) ? `{ ${inline(value)} }` : inline(value);

const isMap = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
