import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client, RemoteData } from "kitchensink";
import { startCluster } from "kitchensink/testing";
import { frame, FrameReader } from "../../../src/codec/frames.ts";
import { MEDIA_TYPE, parseSpec, parseSubmission } from "../../../src/codec/wire.ts";
import { encodeToWorker, parseFromWorker } from "../../../src/codec/worker-wire.ts";
import type { Submission, ToWorker } from "../../../src/core/messages.ts";
import { makeCalls } from "../fixtures/calls.mjs";
import { splitMessages, type HttpMessage } from "./http-messages.ts";

/** Bytes of a real run: of a client and a node, of a node and a worker, and what was left on disk. */
export interface Recordings {
  readonly requests: readonly HttpMessage[];
  readonly responses: readonly HttpMessage[];
  /** Each of the client's submissions, as it was sent. */
  readonly submissions: readonly Buffer[];
  readonly specs: readonly Buffer[];
  /** Each of a worker's messages, framed. */
  readonly fromWorker: readonly Buffer[];
  readonly toWorker: readonly Buffer[];
  readonly journal: Buffer;
}

const FUNCTIONS = fileURLToPath(new URL("../../security/fixtures/functions.mjs", import.meta.url));
const WORKER = fileURLToPath(new URL("../../../dist/worker/child/entry.js", import.meta.url));
const MOST_FRAME_BYTES = 1024 * 1024;

/** Has a client call a node, both real, and keeps what they sent. */
export async function record(): Promise<Recordings> {
  const directory = mkdtempSync(join(tmpdir(), "kitchensink-fuzz-"));
  const cluster = await startCluster({ modules: [FUNCTIONS], node: () => ({ dataDirectory: directory }) });
  const wire = await listenIn(cluster.urls[0]!);
  const client = new Client(wire.url, { token: cluster.token, output: "off" });
  try {
    await makeCalls(client, RemoteData);
  } finally {
    await client.close();
    await cluster.close();
    await wire.close();
  }
  const journal = readFileSync(join(directory, ".kitchensink/replicas.jsonl"));
  rmSync(directory, { recursive: true, force: true });
  const requests = wire.sent().flatMap(splitMessages);
  const responses = wire.received().flatMap(splitMessages);
  const submissions = requests
    .filter(({ head }) => head.includes(MEDIA_TYPE) && /^POST \/v1\/(jobs|instant) /.test(head))
    .map(({ body }) => body);
  const parsed = submissions.map(parseSubmission);
  const specs = parsed.flatMap(({ jobs }) => jobs.map(({ spec }) => Buffer.from(spec)));
  return { requests, responses, submissions, specs, journal, ...(await recordWorker(parsed)) };
}

/** A way to a server that keeps what goes over it, a buffer for each connection and direction. */
async function listenIn(to: string): Promise<{
  readonly url: string;
  sent(): Buffer[];
  received(): Buffer[];
  close(): Promise<void>;
}> {
  const { hostname, port } = new URL(to);
  const streams: { readonly sent: Buffer[]; readonly received: Buffer[] }[] = [];
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    const stream = { sent: [] as Buffer[], received: [] as Buffer[] };
    streams.push(stream);
    pass(near, far, stream.sent);
    pass(far, near, stream.received);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    sent: () => streams.map(({ sent }) => Buffer.concat(sent)),
    received: () => streams.map(({ received }) => Buffer.concat(received)),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function pass(from: Socket, to: Socket, kept: Buffer[]): void {
  from.on("data", (chunk: Buffer) => {
    kept.push(chunk);
    to.write(chunk);
  });
  from.on("close", () => to.destroy());
  from.on("error", () => to.destroy());
}

/** Has a real worker do the jobs that the client sent. */
async function recordWorker(
  submissions: readonly Submission[],
): Promise<Pick<Recordings, "fromWorker" | "toWorker">> {
  const messages = messagesTo(submissions);
  const child = spawn(process.execPath, [WORKER], { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const channel = child.stdio[3] as Socket;
  const fromWorker: Buffer[] = [];
  const runs = messages.filter(({ type }) => type === "run").length;
  let ended = 0;
  const reader = new FrameReader(MOST_FRAME_BYTES);
  const isDone = new Promise<void>((resolve) => {
    channel.on("data", (chunk: Buffer) =>
      reader.push(chunk, (body) => {
        fromWorker.push(frame(body));
        const message = parseFromWorker(body);
        if (message.type === "streaming")
          channel.write(frame(encodeToWorker({ type: "read", run: message.run, from: 9, isOver: true })));
        if (message.type === "finished" && (ended += 1) === runs) resolve();
      }),
    );
    channel.on("close", () => resolve());
  });
  const toWorker = messages.map((message) => frame(encodeToWorker(message)));
  for (const bytes of toWorker) channel.write(bytes);
  await isDone;
  channel.destroy();
  await once(child, "exit");
  return { fromWorker, toWorker };
}

function messagesTo(submissions: readonly Submission[]): ToWorker[] {
  const access = { url: "http://127.0.0.1:9/", token: "token", takesData: false };
  const node = { name: "node1", url: "http://127.0.0.1:9/" } as never;
  const settings = {
    secret: "s".repeat(32),
    node,
    access,
    modules: [FUNCTIONS],
    isArbitraryBanned: false,
    inlineResultBytes: 1_000_000,
    keepsResults: false,
  };
  const jobs = submissions
    .flatMap(({ jobs: all }) => all)
    .filter(({ spec }) => !parseSpec(spec).label.includes("setTimeout"));
  return [
    { type: "start", settings },
    ...submissions.flatMap(({ units }) =>
      [...units].map(([hash, bytes]): ToWorker => ({ type: "unit", hash, bytes })),
    ),
    { type: "describe", request: 1, namespace: "test" },
    ...jobs.map(({ id, spec }, at): ToWorker => ({
      type: "run",
      run: at + 1,
      jobId: id,
      attempt: 1,
      spec,
      outcomes: [],
    })),
    { type: "cancel", run: 10_000, reason: "no longer needed" },
    { type: "recall", run: 10_001 },
    { type: "forget", hash: "A".repeat(43) as never },
  ];
}
