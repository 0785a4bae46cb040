// Ports that stay free while nobody listens there: the system gives others to connections that go out.
import { once } from "node:events";
import { createServer } from "node:net";

const LEAST = 10_000;
const MOST = 29_999;

/** A port of this machine that was free a moment ago. */
export async function stablePort(): Promise<number> {
  for (;;) {
    const port = LEAST + Math.floor(Math.random() * (MOST - LEAST + 1));
    const server = createServer();
    // All addresses at once: proxies listen on others than nodes do.
    const isFree = once(server.listen(port), "listening").then(
      () => true,
      () => false,
    );
    if (!(await isFree)) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}
