import { KitchenError } from "../../core/errors.ts";

/** A host and a port to connect to. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What goes with TLS: paths of files, and the name that the certificate must be for. */
export interface TlsDetails {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly servername: string | undefined;
}

export const TLS_OPTIONS: readonly string[] = ["ca", "cert", "key", "servername"];
export const SENTINEL_OPTIONS: readonly string[] = ["sentinel-username", "sentinel-password"];

const NO_SECRETS: readonly string[] = ["db", "sentinel-username", ...TLS_OPTIONS];
const FORMS =
  "tcp://host:port?db=9, redis://user:password@host:port/9, unix:/path/to/socket?db=9, " +
  "redis+sentinel://host1:26379,host2:26379/mymaster?db=9, redis+cluster://host1:6379,host2:6379, " +
  "or rediss for redis with TLS";

/** The URL, when it has no options but these. */
export function parseUrl(text: string, source: string, options: readonly string[]): URL {
  if (!URL.canParse(text)) throw unusable(source, "it is not a URL");
  const url = new URL(text);
  if (url.hash !== "") throw unusable(source, "a # in it must be written %23");
  for (const [name, value] of url.searchParams) {
    if (TLS_OPTIONS.includes(name) && !options.includes(name))
      throw unusable(source, `the option ${name} is for TLS, with rediss`);
    if (!options.includes(name)) throw unusable(source, `the option ${name} is not known`);
    if (value === "") throw unusable(source, `the option ${name} is empty`);
  }
  return url;
}

export function parseEndpoint({ hostname, port }: URL, defaultPort: number): Endpoint {
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? defaultPort : Number(port),
  };
}

export function parseLogin(
  url: URL,
  source: string,
): { username: string | undefined; password: string | undefined } {
  const password = url.password === "" ? url.searchParams.get("password") : decode(url.password, source);
  return {
    username: url.username === "" ? undefined : decode(url.username, source),
    password: password ?? undefined,
  };
}

export function parseDb(url: URL, fromPath: string, source: string): number {
  const db = url.searchParams.get("db") ?? (fromPath === "" ? "0" : fromPath);
  if (!/^\d{1,5}$/.test(db)) throw unusable(source, `${JSON.stringify(db)} is not the number of a database`);
  return Number(db);
}

export function parseTls({ searchParams }: URL, source: string): TlsDetails {
  const option = (name: string): string | undefined => searchParams.get(name) ?? undefined;
  const tls = {
    ca: option("ca"),
    cert: option("cert"),
    key: option("key"),
    servername: option("servername"),
  };
  if ((tls.cert === undefined) !== (tls.key === undefined))
    throw unusable(source, "the options cert and key belong together");
  return tls;
}

/** What may be shown of the options, as they stand in a URL. */
export function shownOptions(url: URL, db: number): string {
  const others = [...url.searchParams].filter(([name]) => name !== "db" && NO_SECRETS.includes(name));
  return [["db", String(db)], ...others].map(([name, value]) => `${name}=${escaped(value ?? "")}`).join("&");
}

export function decode(part: string, source: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw unusable(source, "its %-escapes are malformed", cause);
  }
}

export function unusable(source: string, why: string, cause?: unknown): KitchenError {
  const shown = JSON.stringify(withoutSecrets(source));
  return new KitchenError("KS_USAGE", `Not an address of a Redis: ${shown}: ${why} (expected ${FORMS})`, {
    cause,
  });
}

/** Paths stay as they are read best. */
function escaped(value: string): string {
  return encodeURI(value).replace(/[&#+]/g, (sign) => encodeURIComponent(sign));
}

/** Of an address that may be malformed anywhere: rather too little is shown than too much. */
function withoutSecrets(text: string): string {
  return text
    .replace(/^(?:([a-z+]+:\/\/)([^:@/?]*:)?)?.*@/is, (_, scheme = "", user = "") => `${scheme}${user}…@`)
    .replace(/([?&]([^=&]*)=)[^&]*/g, (option, head: string, name: string) =>
      NO_SECRETS.includes(name) ? option : `${head}…`,
    );
}
