import { InstantCaller } from "../calls/instant.ts";
import { Connection } from "./connection.ts";
import { Http } from "./http.ts";
import { currentRealm } from "./realm.ts";
import { findToken } from "./token.ts";

/** What clients that were derived from each other have in common. */
export interface Shared {
  /** To which results of functions called by name belong; those of captured functions belong where the function does. */
  readonly realm: object | undefined;
  readonly http: Http;
  /** Connections for data, so that nothing else waits behind it. */
  readonly dataHttp: Http;
  readonly connection: Connection;
  readonly instant: InstantCaller;
}

interface ShareOptions {
  readonly token: string | undefined;
  /** Whether Ctrl-C cancels what the client waits for. */
  readonly hears: boolean;
}

export function share(url: URL, { token = findToken(url), hears }: ShareOptions): Shared {
  const http = new Http(url, token);
  return {
    realm: currentRealm(),
    http,
    dataHttp: http.sibling(),
    connection: new Connection(http, hears),
    instant: new InstantCaller(http, hears),
  };
}
