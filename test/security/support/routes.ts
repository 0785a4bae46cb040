import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { FastifyInstance } from "fastify";

export interface Route {
  readonly method: string;
  /** With `:id`, `*` and the like. */
  readonly pattern: string;
  /** Something that fits the pattern. */
  readonly path: string;
}

/** Runs `start`, and gives beside its result every route of the HTTP servers that it makes, as they register them. */
export async function notingRoutes<T>(
  start: () => Promise<T>,
): Promise<{ result: T; routes: readonly Route[] }> {
  const routes: Route[] = [];
  const note = (message: unknown): void => {
    const { fastify } = message as { readonly fastify: FastifyInstance };
    fastify.addHook("onRoute", ({ method, url }) => {
      for (const one of [method].flat()) routes.push({ method: one, pattern: url, path: pathFor(url) });
    });
  };
  subscribe("fastify.initialization", note);
  try {
    return { result: await start(), routes };
  } finally {
    unsubscribe("fastify.initialization", note);
  }
}

/** Whether its answer has no end. */
export function isEndless({ method, pattern }: Route): boolean {
  return method === "GET" && ["/v1/events", "/v1/activity"].includes(pattern);
}

const EXAMPLES: Readonly<Record<string, string>> = {
  ":id": "01890000-0000-7000-8000-000000000000",
  ":namespace": "test",
  ":name": "add",
  "*": "some/data",
};

function pathFor(pattern: string): string {
  const path = pattern.replaceAll(/:\w+|\*/g, (part) => EXAMPLES[part] ?? "12345678-name");
  return path === "/v1/events" ? `${path}?client=12345678` : path;
}
