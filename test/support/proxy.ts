import { onTestFinished } from "vitest";
import { TcpProxy } from "./tcp-proxy.ts";

/** A proxy of a test's own. */
export class Proxy extends TcpProxy {
  /** Opens a way to `port`; it is closed with the test. */
  static async to(port: number, host = "127.0.0.1"): Promise<Proxy> {
    const proxy = new Proxy({ port, host });
    onTestFinished(() => proxy.close());
    return await proxy.open();
  }
}
