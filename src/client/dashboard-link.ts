/**
 * Where a browser finds a node's dashboard. The code is behind the `#`, which browsers send to nobody: so it is in no
 * log, and in no `Referer`. `null`: the node asks for no token.
 */
export function dashboardLink(node: URL, code: string | null): URL {
  const link = new URL("/", node);
  if (code !== null) link.hash = `login=${code}`;
  return link;
}
