import * as z from "zod";

/** An address of a machine, and its port where one is given. */
export interface IpAddress {
  readonly ip: string;
  readonly port?: number;
}

const ipv4 = z.ipv4();
const ipv6 = z.ipv6();

/** Reads `10.0.0.1`, `10.0.0.1:8301`, `fd00::1`, `[fd00::1]`, `[fd00::1]:8301`; undefined for whatever is no IP address. */
export function parseIp(text: string): IpAddress | undefined {
  if (ipv6.safeParse(text).success) return { ip: text };
  const { v4, v6, port } = /^(?:\[(?<v6>.+)\]|(?<v4>[^:]+))(?::(?<port>\d{1,5}))?$/.exec(text)?.groups ?? {};
  const isIp = v6 === undefined ? ipv4.safeParse(v4).success : ipv6.safeParse(v6).success;
  const ip = v6 ?? v4;
  if (!isIp || ip === undefined) return undefined;
  if (port === undefined) return { ip };
  return Number(port) >= 1 && Number(port) <= 65_535 ? { ip, port: Number(port) } : undefined;
}
