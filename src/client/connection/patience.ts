/** How long a client waits for a node that says nothing. */
export interface Patience {
  /** After so long the connection is taken for lost: a node that lives says so more often, and answers sooner. */
  readonly silenceMs: number;
  /** How long a client tries to get back to its node before it gives up what it waits for. */
  readonly reconnectMs: number;
}

export const PATIENCE: Patience = { silenceMs: 45_000, reconnectMs: 30_000 };
