// Chooses from long recordings one line for each endpoint that the clients use, status, and shape of the body.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const used = {
  consul: [
    /^GET \/v1\/agent\/(self|members)$/,
    /^PUT \/v1\/agent\/(leave|reload|join\/[^/]+|force-leave\/[^/]+)$/,
    /^GET \/v1\/catalog\/(nodes|services)$/,
    /^GET \/v1\/health\/(service|node)\/[^/]+$/,
    /^GET \/v1\/status\/leader$/,
    /^GET \/v1\/operator\/(raft\/configuration|autopilot\/health)$/,
    /^DELETE \/v1\/operator\/raft\/peer$/,
    /^POST \/v1\/operator\/raft\/transfer-leader$/,
    /^(GET|PUT) \/v1\/kv\/.+[^/]$/,
  ],
  nomad: [
    /^GET \/v1\/(nodes|jobs)$/,
    /^GET \/v1\/node\/[^/]+(\/allocations)?$/,
    /^PUT \/v1\/node\/[^/]+\/(eligibility|drain|purge)$/,
    /^GET \/v1\/job\/[^/]+(\/allocations)?$/,
    /^PUT \/v1\/system\/gc$/,
    /^GET \/v1\/operator\/(raft\/configuration|autopilot\/health)$/,
    /^DELETE \/v1\/operator\/raft\/peer$/,
    /^PUT \/v1\/operator\/raft\/transfer-leadership$/,
    /^GET \/v1\/agent\/(self|members)$/,
    /^GET \/v1\/acl\/token\/self$/,
  ],
};

const source = process.argv[2];
if (source === undefined) throw new Error("name the folder with the recordings");
for (const [service, patterns] of Object.entries(used)) {
  const kept = new Map();
  for (const folder of readdirSync(source).filter((name) => name.startsWith(`${service}-`))) {
    for (const file of readdirSync(join(source, folder)).filter((name) => name.endsWith(".jsonl"))) {
      for (const line of readFileSync(join(source, folder, file), "utf8").split("\n")) {
        if (line !== "") consider(kept, patterns, JSON.parse(line));
      }
    }
  }
  const lines = [...kept.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, entry]) => JSON.stringify(entry));
  const here = dirname(fileURLToPath(import.meta.url));
  writeFileSync(join(here, `${service}.jsonl`), `${lines.join("\n")}\n`);
}

function consider(kept, patterns, { request, response }) {
  if (request === undefined || response.status === undefined || response.status === null) return;
  const { method, path, body } = request;
  const { pathname, search } = new URL(path, "http://agent");
  if (!patterns.some((pattern) => pattern.test(`${method} ${pathname}`))) return;
  // Other forms of these requests, which the clients do not use.
  if (/[?&](recurse|keys|stale|consistent|token|prefix|filter|address|near|raw)\b/.test(search)) return;
  const text = JSON.stringify(response.body);
  if (/^"…/.test(text) || isShortened(pathname, response) || text.includes('SecretID":"…')) return;
  const content = withoutMarks(response.body);
  const key = [method, withoutIds(pathname), response.status, shapeOf(content)].join(" ");
  if (kept.has(key)) return;
  const sent = typeof body === "string" && body.length > 1000 ? "…trimmed" : body;
  const headers = Object.fromEntries(
    Object.entries(response.headers ?? {}).filter(([, value]) => value !== null),
  );
  kept.set(key, {
    request: { method, path, body: sent ?? null },
    response: { status: response.status, headers, body: content },
  });
}

/** Some answers were not recorded but summed up: names alone, or a count. */
function isShortened(pathname, { status, body }) {
  if (status !== 200) return false;
  const isList =
    /^\/v1\/(catalog\/nodes|health\/|nodes|jobs|node\/[^/]+\/allocations|job\/[^/]+\/allocations)/.test(
      pathname,
    );
  if (isList)
    return (
      !Array.isArray(body) ||
      body.some((item) => Array.isArray(item) || (typeof item === "string" && !item.startsWith("…")))
    );
  if (pathname === "/v1/agent/self")
    return (
      typeof (body.Config ?? body.config) !== "object" || (body.member ?? body.Member?.Name) === undefined
    );
  return (
    pathname === "/v1/agent/members" && Array.isArray(body) && body.some(({ Tags }) => Tags === undefined)
  );
}

/** Leaves out of a list what says how much of it was dropped. */
function withoutMarks(value) {
  if (Array.isArray(value)) {
    return value.filter((item) => typeof item !== "string" || !item.startsWith("…")).map(withoutMarks);
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutMarks(item)]));
}

function withoutIds(text) {
  return text
    .replace(/[0-9a-f]{8}-[0-9a-f-]{20,}/g, ":id")
    .replace(
      /^(\/v1\/(kv|agent\/join|agent\/force-leave|catalog\/node|health\/node|job)\/)[^/].*?(\/allocations|\/summary)?$/,
      "$1:name$3",
    );
}

/** What an answer is made of, without what it says: types and keys; the text of an error, without names and numbers. */
function shapeOf(value) {
  if (Array.isArray(value)) return `[${[...new Set(value.map(shapeOf))].sort().join("|")}]`;
  if (value === null) return "null";
  if (typeof value === "string")
    return value.includes(" ") ? JSON.stringify(value.replace(/\d+|[0-9a-f-]{20,}|'[^']*'/g, "#")) : "text";
  if (typeof value !== "object") return typeof value;
  const keys = Object.keys(value).sort();
  // A map of names or services: its keys say nothing.
  if (keys.some((key) => /[-.]/.test(key))) return "{…}";
  return `{${keys.map((key) => `${key}:${key === "Stats" || key === "Meta" || key === "Tags" ? "…" : shapeOf(value[key])}`).join()}}`;
}
