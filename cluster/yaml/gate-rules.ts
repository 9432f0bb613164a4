import { DURATION, durationSeconds } from "./duration.js";
import { PLACEHOLDERS } from "./gate-schema.js";
import { asList, asMap, type Raw } from "../raw.js";
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

/** What a pool's own checks may say: one kind each, names that tell them apart, placeholders that there are. */
export function checkChecks(pool: string, settings: Raw): Finding[] {
  const checks = asList(asMap(settings["ready"])["checks"]).map(asMap);
  return checks.flatMap((check, index) => {
    const path = ["pools", pool, "ready", "checks", index];
    const at: At = (...rest) => [...path, ...rest];
    const twin = checks.findIndex(({ name }) => name === check["name"]);
    return [
      ...checkKind(check, at),
      ...(typeof check["name"] === "string" && twin < index
        ? found(
            at("name"),
            `got ${formatValue(check["name"])} a second time; expected a name of its own for each check of a pool`,
          )
        : []),
      ...checkUrl(check["http"], at("http")),
      ...asList(check["command"]).flatMap((word, place) =>
        checkWord(word, place === 0, at("command", place)),
      ),
    ];
  });
}

type At = (...rest: readonly (string | number)[]) => (string | number)[];

function checkKind(check: Raw, at: At): Finding[] {
  const [isHttp, isCommand] = ["http" in check, "command" in check];
  if (isHttp === isCommand) {
    return found(
      at(),
      `${isHttp ? "has both http and command" : "has neither http nor command"}; expected one of them: http (a URL) or command (a program and its arguments)`,
    );
  }
  const stray = isHttp ? ["expect"] : ["status", "contains"];
  const reason = isHttp
    ? "it is for command; what is expected of http stands in status and contains"
    : "it is for http; what is expected of command stands in expect";
  return stray.filter((key) => key in check).flatMap((key) => found(at(key), `not allowed: ${reason}`));
}

/** A URL is checked with its placeholders filled in. */
function checkUrl(url: unknown, path: Finding["path"]): Finding[] {
  if (typeof url !== "string" || !/^https?:\/\/[^\s]+$/.test(url)) return [];
  const unknown = unknownPlaceholders(url);
  if (unknown.length > 0) return found(path, notKnown(unknown));
  const filled = PLACEHOLDERS.reduce((text, placeholder) => text.replaceAll(placeholder, "127.0.0.1"), url);
  if (!URL.canParse(filled)) {
    return found(path, `got ${formatValue(url)}; expected a URL such as http://{address}:8080/health`);
  }
  const { username, password } = new URL(filled);
  if (username === "" && password === "") return [];
  return found(path, "has a user or password in it; expected a URL without: a spec holds no secret");
}

function checkWord(word: unknown, isProgram: boolean, path: Finding["path"]): Finding[] {
  if (typeof word !== "string") return [];
  const unknown = unknownPlaceholders(word);
  if (unknown.length > 0) return found(path, notKnown(unknown));
  if (!isProgram || (word.trim() !== "" && !word.includes("{"))) return [];
  return found(
    path,
    `got ${formatValue(word)}; expected the name or path of a program, the same for every machine`,
  );
}

const unknownPlaceholders = (text: string): string[] =>
  (text.match(/\{[A-Za-z]+\}/g) ?? []).filter((found) => !PLACEHOLDERS.some((known) => known === found));

const notKnown = (found: readonly string[]): string =>
  `names ${found.join(", ")}, which stands for nothing; known here: ${PLACEHOLDERS.join(", ")}`;

const isDuration = (value: unknown): value is string => typeof value === "string" && DURATION.test(value);
