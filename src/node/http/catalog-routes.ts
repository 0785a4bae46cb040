import type { FastifyInstance, FastifyReply } from "fastify";
import { parseDataUrl } from "../../core/data-url.ts";
import { KitchenError } from "../../core/errors.ts";
import { parseGlob } from "../../core/glob.ts";
import { parseNodeName, type NodeName } from "../../core/ids.ts";
import { LINK_WAIT_MS } from "../data/broadcast.ts";
import type { DataService } from "../data/data-service.ts";
import { sendLines } from "./lines.ts";
import { countIn, parseCount } from "./parse-count.ts";
import { bodyObject } from "./server.ts";

export interface CatalogRoutesOptions {
  readonly data: DataService;
  readonly node: NodeName;
}

const MOST_URLS = 10_000;
const MOST_FOUND = 1_000;
/** A node that adopts says now and then that it lives. */
const ADOPT_IDLE_MS = 15_000;

/** What there is and where: `/v1/catalog`, `/v1/adopt`, `/v1/pipelines`; and what nodes tell each other of it. */
export function addCatalogRoutes(server: FastifyInstance, { data, node }: CatalogRoutesOptions): void {
  server.get<{ Querystring: { match?: string; after?: string; limit?: string } }>(
    "/v1/catalog",
    async (request, reply) => {
      const { match = "**", after = "" } = request.query;
      const wanted = parseCount("limit", request.query.limit) ?? MOST_FOUND;
      const limit = Math.min(Math.max(1, wanted), MOST_FOUND);
      const { urls, next } = await data.search(parseGlob(match), { after, limit });
      // Some may have been deleted in between.
      const found = (await data.info(urls)).filter((info) => info !== undefined);
      return await sendJson(reply, { data: found, next });
    },
  );

  server.post("/v1/catalog", async (request, reply) => {
    const urls = listIn(bodyObject(request.body), "urls", MOST_URLS).map(parseDataUrl);
    const found = await data.info(urls);
    return await sendJson(reply, { data: found.map((info) => info ?? null) });
  });

  server.post("/v1/adopt", async (request, reply) => {
    const body = bodyObject(request.body);
    const patterns = listIn(body, "patterns", MOST_URLS).map(parseGlob);
    const to =
      body["node"] == null ? "here" : await data.place(parseNodeName(body["node"]), { isKept: true });
    return await sendLines(reply, async ({ line, signal }) => {
      if (to !== "here") {
        const asked = { patterns: patterns.map(({ pattern }) => pattern) };
        const there = {
          method: "POST",
          path: "/v1/adopt",
          body: asked,
          idleMs: ADOPT_IDLE_MS,
          signal,
        } as const;
        for await (const step of data.peers.lines(to, there)) line(step as object);
        return;
      }
      let [adopted, refused] = [0, 0];
      for await (const step of data.adopt(patterns, signal)) {
        line(step);
        if ("adopted" in step) adopted += 1;
        else refused += 1;
      }
      line({ done: { adopted, refused } });
    });
  });

  server.post("/v1/pipelines", async (request, reply) => {
    const body = bodyObject(request.body);
    const url = parseDataUrl(body["url"]);
    const nodes = body["nodes"] == null ? undefined : listIn(body, "nodes", MOST_URLS).map(parseNodeName);
    const copies = body["copies"] == null ? undefined : countIn(body, "copies", 1);
    return await sendLines(reply, async ({ line, signal }) => {
      const onProgress = (to: NodeName, bytes: number): void => line({ node: to, bytes });
      line({ report: await data.broadcast.run({ url, nodes, copies, onProgress, signal }) });
    });
  });

  server.post("/v1/doubts", async (request, reply) => {
    const body = bodyObject(request.body);
    const url = parseDataUrl(body["url"]);
    return await sendLines(reply, async ({ line }) => {
      if (body["isOwn"] === true) await data.directory.prove(url);
      else await data.doubt(url);
      line({ done: true });
    });
  });

  server.post("/v1/looks", async (request, reply) => {
    const url = parseDataUrl(bodyObject(request.body)["url"]);
    // A file whose times have changed is hashed first.
    return await sendLines(reply, async ({ line }) => {
      line({ sha256: (await data.replicas.look(url))?.sha256 ?? null });
    });
  });

  server.post("/v1/pulls", async (request, reply) => {
    const body = bodyObject(request.body);
    const url = parseDataUrl(body["url"]);
    const sources = listIn(body, "sources", MOST_URLS).map(parseSource);
    const idleMs = countIn(body, "idleMs", 1);
    return await sendLines(reply, async ({ line, signal }) => {
      const record = await data.record(url);
      if (!data.takesData)
        throw new KitchenError("KS_DATA_UNAVAILABLE", `${node} takes no data: ${await data.refusal(0)}`);
      const onProgress = (bytes: number): void => line({ bytes });
      const { replica, from = null } = await data.fetcher.pull(record, {
        sources,
        idleMs,
        waitMs: LINK_WAIT_MS,
        signal,
        onProgress,
      });
      line({ sha256: replica.sha256, from });
    });
  });

  server.post("/v1/drops", async (_request, reply) => {
    await data.replicas.dropNoted();
    return await reply.code(204).send();
  });
}

function listIn(body: Readonly<Record<string, unknown>>, key: string, most: number): readonly unknown[] {
  const list = body[key];
  if (!Array.isArray(list)) throw new KitchenError("KS_BAD_REQUEST", `The body has no list of ${key}`);
  if (list.length > most)
    throw new KitchenError("KS_TOO_LARGE", `Cannot take ${list.length} ${key} at once: send at most ${most}`);
  return list;
}

function parseSource(value: unknown): URL {
  if (typeof value === "string" && URL.canParse(value) && value.startsWith("http://")) return new URL(value);
  throw new KitchenError("KS_BAD_REQUEST", "Not the address of a node");
}

async function sendJson(reply: FastifyReply, value: object): Promise<FastifyReply> {
  return await reply.type("application/json").send(JSON.stringify(value));
}
