import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";

/** What an instance is told of itself. */
export interface Metadata {
  readonly id: string;
  readonly image: string;
  readonly type: string;
  readonly address: string;
  readonly zone: string;
  readonly userData: string;
  /** The name of the role of its instance profile. */
  readonly role: string;
}

/** EC2's instance metadata, version 2 alone: at 169.254.169.254, to each machine by the address that it asks from. */
export class MetadataServer {
  readonly #tokens = new Set<string>();
  readonly #server: Server;

  constructor(private readonly instanceAt: (address: string) => Metadata | undefined) {
    this.#server = createServer((request, response) => {
      this.#answer(request, response);
    });
  }

  async start(): Promise<void> {
    this.#server.listen(80, "169.254.169.254");
    await once(this.#server, "listening");
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const instance = this.instanceAt(request.socket.remoteAddress ?? "");
    const end = (status: number, body = ""): void => {
      response.writeHead(status, { "content-type": "text/plain" }).end(body);
    };
    if (instance === undefined) {
      end(404);
      return;
    }
    const path = (request.url ?? "").split("?")[0] ?? "";
    if (request.method === "PUT" && path === "/latest/api/token") {
      const token = randomUUID();
      this.#tokens.add(token);
      end(200, token);
    } else if (!this.#tokens.has(String(request.headers["x-aws-ec2-metadata-token"]))) end(401);
    else {
      const found = find(
        treeOf(instance),
        path
          .split("/")
          .filter((part) => part !== "")
          .slice(1),
      );
      if (found === undefined) end(404);
      else end(200, typeof found === "string" ? found : Object.entries(found).map(listed).join("\n"));
    }
  }
}

interface Tree {
  readonly [name: string]: Tree | string;
}

/** Folders end with a slash, as EC2 lists them. */
const listed = ([name, value]: [string, Tree | string]): string =>
  typeof value === "string" ? name : `${name}/`;

function find(tree: Tree | string, path: readonly string[]): Tree | string | undefined {
  const [first, ...others] = path;
  if (first === undefined) return tree;
  const next = typeof tree === "string" ? undefined : tree[first];
  return next === undefined ? undefined : find(next, others);
}

function treeOf({ id, image, type, address, zone, userData, role }: Metadata): Tree {
  const region = zone.slice(0, -1);
  const name = `ip-${address.replaceAll(".", "-")}`;
  const identity = {
    instanceId: id,
    imageId: image,
    instanceType: type,
    privateIp: address,
    region,
    availabilityZone: zone,
  };
  const credentials = {
    Code: "Success",
    Type: "AWS-HMAC",
    AccessKeyId: "testing",
    SecretAccessKey: "testing",
    Token: "testing",
    LastUpdated: new Date().toISOString(),
    Expiration: new Date(Date.now() + 6 * 3_600_000).toISOString(),
  };
  return {
    "meta-data": {
      "ami-id": image,
      "instance-id": id,
      "instance-type": type,
      "local-hostname": `${name}.${region}.compute.internal`,
      "local-ipv4": address,
      placement: { "availability-zone": zone, region },
      iam: { "security-credentials": { [role]: JSON.stringify(credentials) } },
    },
    "user-data": userData,
    dynamic: { "instance-identity": { document: JSON.stringify(identity) } },
  };
}
