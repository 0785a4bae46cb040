import { KitchenError } from "../core/errors.ts";

/** Where bytes can be had by a GET. */
export interface Source {
  /** As errors name it. */
  readonly shown: string;
  readonly hostname: string;
  readonly port: number;
  /** The `host` header. */
  readonly authority: string;
  /** Path and query. */
  readonly target: string;
}

/** Reads where data can be had. @throws KitchenError `KS_BAD_REQUEST` for all but `http:` */
export function parseSource(text: string): Source {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "http:")
    throw new KitchenError(
      "KS_BAD_REQUEST",
      `Cannot fetch data from ${JSON.stringify(text)}: it is no http:// url`,
    );
  return {
    shown: url.origin,
    // An address of IPv6 has brackets in a url, and none where one connects.
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 80 : Number(url.port),
    authority: url.host,
    target: `${url.pathname}${url.search}`,
  };
}
