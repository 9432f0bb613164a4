import { DURATION, durationSeconds } from "./duration.js";
import { PLACEHOLDERS, SCOPES, STEP_LISTS } from "./gate-schema.js";
import { asList, asMap, isMap, type Raw } from "../raw.js";
import { formatValue, found, type Finding } from "./problem.js";

/** The first group of a pool is watched at least as long as the others. */
export function checkBake(pool: string, settings: Raw): Finding[] {
  const { time = "30s", first } = asMap(settings["bake"]);
  if (!isDuration(time) || !isDuration(first)) return [];
  if (durationSeconds(first) >= durationSeconds(time)) return [];
  return found(
    ["pools", pool, "bake", "first"],
    `got ${formatValue(first)}; expected at least the ${time} of bake.time, which every group has to hold`,
  );
}

/** What a pool's own checks and steps may say: one kind each, names that tell them apart, placeholders that there are. */
export const checkActions = (pool: string, settings: Raw): Finding[] =>
  [["ready", "checks"] as const, ...STEP_LISTS.map((list) => ["steps", list] as const)].flatMap(
    ([part, list]) => checkList(asList(asMap(settings[part])[list]).map(asMap), ["pools", pool, part, list]),
  );

function checkList(checks: readonly Raw[], list: readonly string[]): Finding[] {
  return checks.flatMap((check, index) => {
    const at: At = (...rest) => [...list, index, ...rest];
    const twin = checks.findIndex(({ name }) => name === check["name"]);
    const { undo, scope } = check;
    return [
      ...(typeof check["name"] === "string" && twin < index
        ? found(
            at("name"),
            `got ${formatValue(check["name"])} a second time; expected a name of its own for each ${list.includes("checks") ? "check of a pool" : "step of a list"}`,
          )
        : []),
      ...checkAction(check, at),
      ...(isMap(undo) ? checkAction({ ...undo, scope }, (...rest) => at("undo", ...rest)) : []),
    ];
  });
}

/** Its kind and placeholders, and that it gets nothing with which it could take the cluster apart. */
function checkAction(action: Raw, at: At): Finding[] {
  const known = PLACEHOLDERS[SCOPES.find((scope) => scope === action["scope"]) ?? "machine"];
  const named = [
    ...asList(action["env"]).map((name, place) => ({ name, path: at("env", place) })),
    ...Object.entries(asMap(action["headers"])).map(([header, name]) => ({
      name,
      path: at("headers", header),
    })),
  ];
  return [
    ...checkKind(action, at),
    ...checkUrl(action["http"], known, at("http")),
    ...asList(action["command"]).flatMap((word, place) =>
      checkWord(word, place === 0, known, at("command", place)),
    ),
    ...named.flatMap(({ name, path }) =>
      typeof name === "string" && ROLLS_OWN.test(name)
        ? found(
            path,
            `got ${formatValue(name)}; expected a variable of its own, with fewer rights: with this one it could take the cluster apart`,
          )
        : [],
    ),
  ];
}

/** The agents' tokens and AWS credentials of whoever rolls. */
const ROLLS_OWN =
  /^(CONSUL_HTTP_(TOKEN|AUTH)|NOMAD_(TOKEN|HTTP_AUTH)|AWS_(?!(DEFAULT_)?REGION$|CA_BUNDLE$))/i;

type At = (...rest: readonly (string | number)[]) => (string | number)[];

function checkKind(check: Raw, at: At): Finding[] {
  const [isHttp, isCommand] = ["http" in check, "command" in check];
  if (isHttp === isCommand) {
    return found(
      at(),
      `${isHttp ? "has both http and command" : "has neither http nor command"}; expected one of them: http (a URL) or command (a program and its arguments)`,
    );
  }
  const stray = isHttp ? ["expect", "env"] : ["status", "contains", "headers"];
  const reason = isHttp
    ? "it is for command; http has status, contains and headers"
    : "it is for http; command has expect and env";
  return stray.filter((key) => key in check).flatMap((key) => found(at(key), `not allowed: ${reason}`));
}

/** A URL is checked with its placeholders filled in. */
function checkUrl(url: unknown, known: Known, path: Finding["path"]): Finding[] {
  if (typeof url !== "string" || !/^https?:\/\/[^\s]+$/.test(url)) return [];
  const unknown = unknownPlaceholders(url, known);
  if (unknown.length > 0) return found(path, notKnown(unknown, known));
  const filled = url.replace(PLACEHOLDER, (name) =>
    /^\{(hosts|addresses)\}$/.test(name) ? "a,b" : "127.0.0.1",
  );
  if (!URL.canParse(filled)) {
    return found(path, `got ${formatValue(url)}; expected a URL such as http://{address}:8080/health`);
  }
  const { username, password, hostname } = new URL(filled);
  if (hostname.includes(","))
    return found(
      path,
      `got ${formatValue(url)}; expected one host: where all are asked at once it is a command`,
    );
  if (username === "" && password === "") return [];
  return found(path, "has a user or password in it; expected a URL without: a spec holds no secret");
}

function checkWord(word: unknown, isProgram: boolean, known: Known, path: Finding["path"]): Finding[] {
  if (typeof word !== "string") return [];
  const unknown = unknownPlaceholders(word, known);
  if (unknown.length > 0) return found(path, notKnown(unknown, known));
  if (!isProgram || (word.trim() !== "" && !word.includes("{"))) return [];
  return found(
    path,
    `got ${formatValue(word)}; expected the name or path of a program, the same for every machine`,
  );
}

type Known = readonly string[];

const PLACEHOLDER = /\{[A-Za-z]+\}/g;

const unknownPlaceholders = (text: string, known: Known): string[] =>
  (text.match(PLACEHOLDER) ?? []).filter((found) => !known.includes(found));

const notKnown = (found: readonly string[], known: Known): string =>
  `names ${found.join(", ")}, which stands for nothing; known here: ${known.join(", ")}`;

const isDuration = (value: unknown): value is string => typeof value === "string" && DURATION.test(value);
