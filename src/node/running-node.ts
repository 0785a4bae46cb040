import type { NodeName } from "../core/ids.ts";
import type { NamespaceInfo } from "../core/messages.ts";

/** A node of this process. */
export interface RunningNode {
  readonly name: NodeName;
  readonly url: URL;
  /** A link for a browser: with a token, one that logs in, once and within 15 minutes. */
  dashboardLink(): URL;
  /** What the modules registered. */
  readonly namespaces: readonly NamespaceInfo[];
  /**
   * Claims nothing more, lets running jobs finish for up to `graceMs`, gives the rest back, ends workers, lets go
   * of the store. May be called again with a shorter grace.
   */
  close(graceMs: number): Promise<void>;
}
