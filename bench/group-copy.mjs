import { createHash } from "node:crypto";

/** What AWS and the providers make up: ids, a null resource's number, a revision's id, the hash of user data. */
const MADE_UP =
  /\b(?:(?:i|vol|eni)-[0-9a-f]{17}|vai-\d+|\d{16,}|[0-9a-f]{40}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/g;

/** The ids that stand in the recorded entries of a group, and in those of no other. */
export function ownIds(entries, group) {
  const found = { own: new Set(), others: new Set() };
  for (const entry of entries) {
    const ids = JSON.stringify(entry).match(MADE_UP) ?? [];
    for (const id of ids) found[isOf(entry, group) ? "own" : "others"].add(id);
  }
  return (
    found.own.difference?.(found.others) ?? new Set([...found.own].filter((id) => !found.others.has(id)))
  );
}

const isOf = ({ name }, group) => name.startsWith(`${group}-`);

/**
 * A copy of a recorded group of one host: under another name, or with more hosts, and with ids of its own. The first host
 * of a group under its own name stays as it was recorded.
 */
export class GroupCopy {
  #from;
  #to;
  #patterns;

  /**
   * @param from the recorded group: name, pool, index, zone, subnetId, instanceId and the set of its ids
   * @param to the copy: name, pool, index, zone, subnetId and how many hosts
   */
  constructor(from, to) {
    this.#from = from;
    this.#to = to;
    const first = `${from.name}-0`;
    this.#patterns = {
      first: new RegExp(`\\b${first}\\b`, "g"),
      listed: new RegExp(`^[a-z_]+\\.${first}\\b`),
      last: new RegExp(`(?:\\$\\{[^}]*\\b${first}\\b[^}]*\\}(?::\\d+)?|\\b${first})$`),
      group: new RegExp(`\\b${from.name}\\b`, "g"),
      pool: new RegExp(`\\b${from.pool}\\b`, "g"),
    };
  }

  /** Whether an entry belongs to the recorded group. */
  has(entry) {
    return isOf(entry, this.#from.name);
  }

  /** The copies of an entry, as JSON: of a host's one for each host, of the group's one. */
  *of(entry) {
    if (`${entry.name}-`.startsWith(`${this.#from.name}-0-`)) {
      const text = JSON.stringify(entry);
      for (let host = 0; host < this.#to.hosts; host++) yield this.#renamed(this.#numbered(text, host), host);
    } else {
      yield this.#renamed(JSON.stringify(this.#expanded(entry)), 0);
    }
  }

  #numbered(text, host) {
    return text.replace(this.#patterns.first, `${this.#from.name}-${host}`);
  }

  #forEachHost(write) {
    return Array.from({ length: this.#to.hosts }, (_, host) => write(host));
  }

  /** What is said of the one host, said of all: in lists an item each, in texts with commas between. */
  #expanded(value) {
    if (Array.isArray(value)) {
      return value.flatMap((item) =>
        this.#patterns.listed.test(item)
          ? this.#forEachHost((host) => this.#numbered(item, host))
          : [this.#expanded(item)],
      );
    }
    if (typeof value === "object" && value !== null) {
      const counted =
        "template" in value && typeof value.hosts === "number" ? { ...value, hosts: this.#to.hosts } : value;
      return Object.fromEntries(Object.entries(counted).map(([key, item]) => [key, this.#expanded(item)]));
    }
    if (typeof value !== "string") return value;
    const { instanceId } = this.#from;
    // Alone, or as a record has it: with the attempt of its hooks behind it.
    const [id, ...attempt] = value.split(":");
    if (id === instanceId)
      return this.#forEachHost((host) => [this.#ownId(instanceId, host), ...attempt].join(":")).join(",");
    return value.replace(this.#patterns.last, (said) =>
      this.#forEachHost((host) => this.#numbered(said, host)).join(","),
    );
  }

  #renamed(text, host) {
    const [from, to] = [this.#from, this.#to];
    const own = text.replace(MADE_UP, (id) => (from.ids.has(id) ? this.#ownId(id, host) : id));
    if (from.name === to.name) return own;
    return own
      .replace(this.#patterns.group, to.name)
      .replace(this.#patterns.pool, to.pool)
      .replaceAll(from.zone, to.zone)
      .replaceAll(from.subnetId, to.subnetId)
      .replaceAll(`aws_subnet.subnet-${from.index}`, `aws_subnet.subnet-${to.index}`);
  }

  /** Another id of the same form, always the same for the same host. */
  #ownId(id, host) {
    if (host === 0 && this.#from.name === this.#to.name) return id;
    const hash = createHash("sha256").update(`${id} ${this.#to.name} ${host}`).digest();
    const [kind = ""] = /^[a-z]+-/.exec(id) ?? [];
    const made = id.slice(kind.length);
    const base = /^\d+$/.test(made) ? 10 : 16;
    let at = 0;
    return kind + made.replace(/[0-9a-f]/g, () => (hash[at++ % hash.length] % base).toString(base));
  }
}
