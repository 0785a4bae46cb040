import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** How long a code may wait for somebody to follow its link. */
export const CODE_MS: number = 15 * 60_000;
export const SESSION_MS: number = 12 * 60 * 60_000;
const MOST_CODES = 50;
const MOST_SESSIONS = 200;
const SECRET_BYTES = 32;
/** The header with what the page keeps of its session. */
const KEY_HEADER = "kitchensink-session";

/** What the dashboard asks for: to look, to cancel, to retry, to call what is registered. Nothing brings code along. */
const PERMITTED: ReadonlySet<string> = new Set([
  "GET /v1/activity",
  "GET /v1/catalog",
  "GET /v1/functions/:namespace",
  "GET /v1/jobs",
  "GET /v1/jobs/:id",
  "GET /v1/jobs/:id/call",
  "GET /v1/jobs/:id/output",
  "GET /v1/jobs/:id/placement",
  "GET /v1/nodes",
  "GET /v1/status",
  "POST /v1/cancel",
  "POST /v1/jobs/:id/retry",
  "POST /v1/logout",
  "POST /rpc/:namespace/:name",
]);

/** Both are needed: the browser sends the cookie to every port of this host, and the page shows the key to this one alone. */
export interface NewSession {
  readonly cookie: string;
  readonly key: string;
}

interface Session {
  readonly keyDigest: Buffer;
  readonly endsAtMs: number;
}

/** Logins of browsers, in this process's memory alone: by codes that are good once, for sessions that end by themselves. */
export class Sessions {
  readonly #cookieName: string;
  readonly #nowMs: () => number;
  /** By the digests of the secrets, in the order in which they were made. */
  readonly #codes = new Map<string, number>();
  readonly #sessions = new Map<string, Session>();

  constructor({ node, nowMs = () => performance.now() }: SessionsOptions) {
    // Nodes of one machine share the browser's cookies.
    this.#cookieName = `kitchensink-${digest(node).toString("hex").slice(0, 12)}`;
    this.#nowMs = nowMs;
  }

  /** A code that {@link login} takes once, within {@link CODE_MS}. */
  newCode(): string {
    const code = secret();
    keep(this.#codes, name(code), this.#nowMs() + CODE_MS, MOST_CODES);
    return code;
  }

  /** What a page gets for a code. `undefined`: there is no such code, or not any more. */
  login(code: string, headers: IncomingHttpHeaders): NewSession | undefined {
    const endsAtMs = this.#codes.get(name(code));
    this.#codes.delete(name(code));
    if (endsAtMs === undefined || endsAtMs <= this.#nowMs()) return undefined;
    const [id, key] = [secret(), secret()];
    const session = { keyDigest: digest(key), endsAtMs: this.#nowMs() + SESSION_MS };
    keep(this.#sessions, name(id), session, MOST_SESSIONS);
    return { cookie: this.#cookie(id, SESSION_MS / 1_000, headers), key };
  }

  /** Whether a request comes from a page that has logged in here. */
  isOpen(headers: IncomingHttpHeaders): boolean {
    return this.#idIn(headers) !== undefined;
  }

  /** Whether whoever has logged in may ask for that. */
  permits(method: string, route: string): boolean {
    return PERMITTED.has(`${method} ${route}`);
  }

  /** Ends the session of a request; gives a cookie to forget it by. */
  logout(headers: IncomingHttpHeaders): string {
    const id = this.#idIn(headers);
    if (id !== undefined) this.#sessions.delete(name(id));
    return this.#cookie("", 0, headers);
  }

  #idIn({ cookie = "", [KEY_HEADER]: key }: IncomingHttpHeaders): string | undefined {
    if (typeof key !== "string") return undefined;
    // Programs on other ports may have set one of the same name.
    return valuesOf(cookie, this.#cookieName).find((id) => this.#fits(id, key));
  }

  #fits(id: string, key: string): boolean {
    const session = this.#sessions.get(name(id));
    if (session === undefined || session.endsAtMs <= this.#nowMs()) return false;
    return timingSafeEqual(session.keyDigest, digest(key));
  }

  /** For the page that asks: one that came over TLS, through a proxy, gets a cookie that goes over nothing else. */
  #cookie(value: string, maxAgeSeconds: number, { origin }: IncomingHttpHeaders): string {
    const secure = origin?.startsWith("https:") ? "; Secure" : "";
    return `${this.#cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}${secure}`;
  }
}

export interface SessionsOptions {
  /** The node's name. */
  readonly node: string;
  readonly nowMs?: () => number;
}

function secret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

function name(text: string): string {
  return hash("sha256", text, "base64url");
}

/** Lets the oldest go. */
function keep<T>(items: Map<string, T>, key: string, item: T, most: number): void {
  items.set(key, item);
  for (const oldest of items.keys()) {
    if (items.size <= most) return;
    items.delete(oldest);
  }
}

function valuesOf(cookies: string, wanted: string): string[] {
  return cookies.split(";").flatMap((pair) => {
    const at = pair.indexOf("=");
    return pair.slice(0, at).trim() === wanted ? [pair.slice(at + 1).trim()] : [];
  });
}
