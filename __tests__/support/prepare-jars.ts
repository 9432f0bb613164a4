import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { isLong } from "./long.js";
import { announce, cacheFolder, firstLine, missing, writeWhole } from "./prepared.js";
import type { Result } from "./prepared.js";

type Jars = Result<{ readonly folder: string }>;

/** Kafka's brokers and tools, which come in one with their own log library. */
export function prepareKafka(): Promise<Jars> {
  return prepareJars("kafka", ["org.apache.kafka:kafka_2.13:3.9.1", "org.apache.kafka:kafka-tools:3.9.1"]);
}

export function prepareRocketmq(): Promise<Jars> {
  const parts = ["namesrv", "broker", "tools"];
  return prepareJars(
    "rocketmq",
    parts.map((part) => `org.apache.rocketmq:rocketmq-${part}:5.2.0`),
  );
}

/**
 * A folder of the cache with these artifacts of Maven Central and all that they need.
 * @param artifacts `group:name:version`
 */
async function prepareJars(name: string, artifacts: readonly string[]): Promise<Jars> {
  if (!isLong) return missing(`${name} runs in the long form alone, npm run test:long`);
  for (const program of ["java", "mvn"]) {
    const { failed } = await execa(program, ["-version"], { reject: false, timeout: 60_000 });
    if (failed) return missing(`${program} is not on the PATH`);
  }
  const folder = join(cacheFolder, "jars", name);
  const pom = join(folder, "pom.xml");
  const finished = join(folder, artifacts.join("+").replaceAll(":", "_"));
  const jars = join(folder, "jars");
  if (existsSync(finished)) return { ok: true, folder: jars };
  try {
    announce(`fetching the jars of ${name}`);
    await rm(folder, { recursive: true, force: true });
    await writeWhole(pom, pomOf(artifacts));
    await execa(
      "mvn",
      [
        "-q",
        "-B",
        "-f",
        pom,
        "dependency:copy-dependencies",
        `-DoutputDirectory=${jars}`,
        "-DincludeScope=runtime",
      ],
      { timeout: 300_000 },
    );
    await writeWhole(finished, "");
    return { ok: true, folder: jars };
  } catch (error) {
    return missing(`the jars of ${name} could not be fetched: ${firstLine(error)}`);
  }
}

function pomOf(artifacts: readonly string[]): string {
  const dependencies = artifacts.map((artifact) => {
    const [group, name, version] = artifact.split(":");
    return `<dependency><groupId>${group ?? ""}</groupId><artifactId>${name ?? ""}</artifactId><version>${version ?? ""}</version></dependency>`;
  });
  return `<project><modelVersion>4.0.0</modelVersion><groupId>jars</groupId><artifactId>jars</artifactId><version>1</version><dependencies>${dependencies.join("")}</dependencies></project>`;
}
