import { hash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { RateLimiterMemory } from "rate-limiter-flexible";
import { KitchenError } from "../../core/errors.ts";
import type { Sessions } from "./sessions.ts";

const FAILURES_PER_MINUTE = 30;
/** Of a header in a message. */
const MOST_SHOWN = 200;

export interface GuardOptions {
  /** `null`: no token is asked for. */
  readonly token: string | null;
  /** Host names that this node answers to. */
  readonly hostNames: ReadonlySet<string>;
  readonly warn: (message: string) => void;
  /** Logins of browsers. */
  readonly sessions?: Sessions | undefined;
}

/** What the guard looks at. */
export interface Caller {
  readonly method: string;
  /** The pattern of the route, such as `/v1/jobs/:id`. */
  readonly route: string;
  readonly headers: IncomingHttpHeaders;
  readonly address: string;
}

/** Decides who may talk to the node at all. */
export class Guard {
  readonly #tokenDigest: Buffer | undefined;
  readonly #hostNames: ReadonlySet<string>;
  readonly #warn: (message: string) => void;
  readonly #sessions: Sessions | undefined;
  #failures: Promise<RateLimiterMemory> | undefined;

  constructor({ token, hostNames, warn, sessions }: GuardOptions) {
    this.#tokenDigest = token === null ? undefined : digest(token);
    this.#hostNames = hostNames;
    this.#warn = warn;
    this.#sessions = sessions;
  }

  /**
   * A page on the web can make a browser send requests to this machine, under a name that leads here or from its own
   * origin. Neither has a business here.
   *
   * @throws KitchenError `KS_FORBIDDEN`; `KS_BAD_REQUEST` when the request says in two ways whom it is for
   */
  checkOrigin({ url, rawHeaders, headers }: Pick<IncomingMessage, "url" | "rawHeaders" | "headers">): void {
    const { host, origin, "sec-fetch-site": site } = headers;
    if (!isPath(url)) throw ambiguous("its target is not a path");
    if (countOf(rawHeaders, "host") > 1) throw ambiguous("it has several Host headers");
    const name = hostNameOf(host);
    if (name === undefined || !this.#hostNames.has(name))
      throw new KitchenError(
        "KS_FORBIDDEN",
        `This node does not answer to the host "${shown(host)}": start it with that --node-url, or add --allow-host`,
      );
    // Another port is another site: somebody else's program may listen there.
    if (origin !== undefined && !isOriginOf(origin, host)) throw fromElsewhere(`Pages of ${shown(origin)}`);
    if (site !== undefined && site !== "same-origin" && site !== "none")
      throw fromElsewhere("Pages of other sites");
  }

  /**
   * By the token, or by the login of a browser, which is good for what the dashboard needs.
   * @throws KitchenError `KS_UNAUTHORIZED`; `KS_FORBIDDEN`; `KS_BUSY` after too many failures from one address
   */
  async check(caller: Caller): Promise<void> {
    const { headers, address } = caller;
    if (this.#tokenDigest === undefined) return;
    if (headers.authorization === undefined && this.#sessions?.isOpen(headers) === true)
      return this.#checkPermission(caller);
    const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
    // Digests have one length, so the comparison takes the same time for every guess.
    if (given !== undefined && timingSafeEqual(digest(given), this.#tokenDigest)) return;
    const what = given === undefined ? "The token is missing" : "The token is wrong";
    await this.refuse(
      address,
      `${what}: set KITCHENSINK_TOKEN (or pass { token }) to what the node's token file holds`,
    );
  }

  /** Counts a failure of this address. @throws KitchenError `KS_UNAUTHORIZED`; `KS_BUSY` after too many */
  async refuse(address: string, message: string): Promise<never> {
    await this.#countFailure(address);
    throw new KitchenError("KS_UNAUTHORIZED", message);
  }

  #checkPermission({ method, route }: Caller): void {
    if (this.#sessions?.permits(method, route) === true) return;
    throw new KitchenError(
      "KS_FORBIDDEN",
      `The login of a browser is not good for ${method} ${route}: use the token, from a server or a script`,
    );
  }

  async #countFailure(address: string): Promise<void> {
    const failures = await (this.#failures ??= createLimiter());
    try {
      await failures.consume(address);
      this.#warn(`refused a request without the right token from ${address}`);
    } catch (reason) {
      if (isFirstBeyond(reason))
        this.#warn(
          `more without the right token from ${address}: the rest of this minute gets 429, and no line`,
        );
      throw new KitchenError("KS_BUSY", "Too many requests with a wrong token: wait a minute");
    }
  }
}

/** Most nodes never refuse anybody, and need not load it. */
async function createLimiter(): Promise<RateLimiterMemory> {
  const { RateLimiterMemory } = await import("rate-limiter-flexible");
  return new RateLimiterMemory({ points: FAILURES_PER_MINUTE, duration: 60 });
}

/** What the limiter rejects with counts what came. */
function isFirstBeyond(reason: unknown): boolean {
  const isCount = typeof reason === "object" && reason !== null && "consumedPoints" in reason;
  return isCount && reason.consumedPoints === FAILURES_PER_MINUTE + 1;
}

function digest(token: string): Buffer {
  return hash("sha256", token, "buffer");
}

function hostNameOf(host: string | undefined): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]/\s]+)(:\d+)?$/i.exec(host ?? "");
  return match?.[1]?.toLowerCase();
}

/** Proxies take an address in the place of a path for what the request is for, whatever the Host header says. */
function isPath(url: string | undefined): boolean {
  return url?.[0] === "/" && url[1] !== "/";
}

function countOf(rawHeaders: readonly string[], name: string): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const found = rawHeaders[at] ?? "";
    if (found.length === name.length && found.toLowerCase() === name) count += 1;
  }
  return count;
}

/** `https` too: a proxy may stand in front of the node. */
function isOriginOf(origin: string, host: string | undefined): boolean {
  const [, scheme = "", authority = ""] = /^(https?):\/\/([^/]+)$/i.exec(origin) ?? [];
  const port = scheme.toLowerCase() === "https" ? ":443" : ":80";
  const same = (text: string): string =>
    text.toLowerCase().replace(/:\d+$/, (found) => (found === port ? "" : found));
  return authority !== "" && same(authority) === same(host ?? "");
}

function shown(header: string | undefined): string {
  return (header ?? "").slice(0, MOST_SHOWN);
}

function ambiguous(why: string): KitchenError {
  return new KitchenError(
    "KS_BAD_REQUEST",
    `Cannot take the request: ${why}, so it is not clear whom it is for`,
  );
}

function fromElsewhere(who: string): KitchenError {
  return new KitchenError("KS_FORBIDDEN", `${who} may not call this node: call it from a server or a script`);
}
