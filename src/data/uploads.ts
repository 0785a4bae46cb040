import type { DataFacts } from "../core/data.ts";
import { KitchenError, messageOf } from "../core/errors.ts";
import type { Arrival } from "./arrival.ts";
import type { Intake } from "./intake.ts";
import type { PartWriter } from "./part-writer.ts";
import type { Arrived, Body, ReceiveOptions } from "./types.ts";

/** How long an upload that broke off waits to be continued, unless its room is needed before. */
const KEEP_MS: number = 10 * 60 * 1000;
/** How often the disk is looked at when nobody said how much will come. */
const LOOK_EVERY_BYTES: number = 64 * 1024 * 1024;

interface Upload {
  readonly options: ReceiveOptions;
  readonly arrival: Arrival;
  readonly writer: PartWriter;
  /** The body that it gets now, and when that has ended. */
  body: Body | undefined;
  detached: Promise<void>;
  timer?: NodeJS.Timeout;
}

/** A body ended before all of it had come. */
class BrokenOff extends Error {}

/** Takes bodies of requests in, and has those that broke off go on. */
export class Uploads {
  readonly #intake: Intake;
  /** Those that have an id. */
  readonly #named = new Map<string, Upload>();
  /** Bodies that are read just now, and what comes of them. */
  readonly #running = new Map<Body, Promise<Arrived>>();

  constructor(intake: Intake) {
    this.#intake = intake;
  }

  async receive(body: Body, options: ReceiveOptions): Promise<Arrived> {
    const { signal } = options;
    signal?.throwIfAborted();
    // It may break off while nobody reads it, too.
    body.on("error", () => {});
    const abort = (): void => void body.destroy(asError(signal?.reason));
    signal?.addEventListener("abort", abort, { once: true });
    const running = this.#uploadFor(options).then((upload) => this.#attach(upload, body, options));
    this.#running.set(body, running);
    try {
      return await running;
    } finally {
      this.#running.delete(body);
      signal?.removeEventListener("abort", abort);
    }
  }

  async offset(uploadId: string): Promise<number | undefined> {
    const upload = this.#named.get(uploadId);
    if (upload === undefined) return undefined;
    // Its connection is dead, or its sender would not ask.
    upload.body?.destroy(new BrokenOff("the upload goes on in another request"));
    await upload.detached;
    return this.#named.get(uploadId) === upload ? upload.writer.acceptedBytes : undefined;
  }

  /** Gives an upload up, if there is one. */
  async drop(uploadId: string): Promise<void> {
    await this.offset(uploadId);
    const upload = this.#named.get(uploadId);
    if (upload !== undefined)
      await this.#abandon(upload, conflict(upload.options.url, "its sender gave it up"));
  }

  async close(): Promise<void> {
    const stopping = new KitchenError("KS_DATA_UNAVAILABLE", "Cannot take data: this node is stopping");
    for (const body of this.#running.keys()) body.destroy(stopping);
    await Promise.allSettled(this.#running.values());
    await Promise.all(Array.from(this.#named.values(), (upload) => this.#abandon(upload, stopping)));
  }

  async #uploadFor(options: ReceiveOptions): Promise<Upload> {
    const { uploadId, offset = 0, url } = options;
    const received = uploadId === undefined ? undefined : await this.offset(uploadId);
    const upload = uploadId === undefined ? undefined : this.#named.get(uploadId);
    if (offset === 0) {
      if (upload !== undefined) await this.#abandon(upload, conflict(url, "it was begun anew"));
      return this.#begin(options);
    }
    if (upload === undefined)
      throw conflict(url, "no upload of this id waits to be continued (begin it anew, with offset 0)");
    if (received !== offset)
      throw conflict(url, `${received} bytes are here, not ${offset} (go on from there)`);
    if (!isSameTarget(upload.options, options)) throw conflict(url, "the upload of this id is of other data");
    this.#intake.goOn(upload.arrival);
    return upload;
  }

  async #begin(options: ReceiveOptions): Promise<Upload> {
    const { url, size, uploadId } = options;
    const start = { kind: "upload", url, size: size ?? null } as const;
    const arrival = await this.#intake.admit(start, cannotSave(options));
    const writer = this.#intake.thread.openPart(arrival.part);
    const upload: Upload = { options, arrival, writer, body: undefined, detached: Promise.resolve() };
    if (uploadId !== undefined) this.#named.set(uploadId, upload);
    return upload;
  }

  /** `options`: of this body; the upload may have begun with another one. */
  async #attach(upload: Upload, body: Body, options: ReceiveOptions): Promise<Arrived> {
    let detach: () => void = () => {};
    clearTimeout(upload.timer);
    upload.body = body;
    upload.detached = new Promise((resolve) => {
      detach = resolve;
    });
    try {
      await this.#copy(upload, body, options);
      return await this.#complete(upload, options.sha256Behind);
    } catch (error) {
      throw await this.#break(upload, error);
    } finally {
      upload.body = undefined;
      detach();
    }
  }

  async #copy(
    { writer, arrival, options }: Upload,
    body: Body,
    { ownsPieces = false }: ReceiveOptions,
  ): Promise<void> {
    const { size } = options;
    let lookAt = writer.acceptedBytes + LOOK_EVERY_BYTES;
    for await (const chunk of chunksOf(body)) {
      if (size !== undefined && writer.acceptedBytes + chunk.length > size)
        throw wrong(options, `more than the ${size} bytes came that were announced`);
      await writer.write(ownsPieces ? chunk : Uint8Array.from(chunk));
      arrival.grow(writer.acceptedBytes);
      if (size !== undefined || writer.acceptedBytes < lookAt) continue;
      lookAt += LOOK_EVERY_BYTES;
      await this.#intake.checkRoom(cannotSave(options));
    }
  }

  async #complete(upload: Upload, sha256Behind: ReceiveOptions["sha256Behind"]): Promise<Arrived> {
    const { writer, options, arrival } = upload;
    const behind = sha256Behind?.();
    const arrived = await this.#intake.finish(arrival, cannotSave(options), async () => {
      const { size, sha256 } = await writer.seal();
      if (options.size !== undefined && size !== options.size)
        throw wrong(options, `${size} bytes came, and ${options.size} were announced`);
      for (const announced of [options.sha256, behind])
        if (announced !== undefined && sha256 !== announced)
          throw wrong(options, `the bytes have the sha256 ${sha256}, and ${announced} was announced`);
      const { url, codec, type } = options;
      return { url, size, sha256, codec, type } satisfies DataFacts;
    });
    this.#forget(upload);
    return arrived;
  }

  /** Keeps what came of an upload that has an id, when only its body failed; ends it otherwise. */
  async #break(upload: Upload, error: unknown): Promise<KitchenError> {
    const { options, writer } = upload;
    if (error instanceof BrokenOff && options.uploadId !== undefined) {
      try {
        await writer.flush();
        const giveUp = (): Promise<void> => this.#abandon(upload, brokenOff(upload, error));
        upload.timer = setTimeout(() => void giveUp(), KEEP_MS);
        upload.timer.unref();
        this.#intake.letWait(upload.arrival, giveUp);
        return brokenOff(upload, error);
      } catch (failure) {
        return this.#give(upload, failure);
      }
    }
    return this.#give(upload, error instanceof BrokenOff ? brokenOff(upload, error) : error);
  }

  async #give(upload: Upload, error: unknown): Promise<KitchenError> {
    const failure = await this.#intake.space.explain(error, cannotSave(upload.options));
    await this.#abandon(upload, failure);
    return failure;
  }

  async #abandon(upload: Upload, failure: KitchenError): Promise<void> {
    this.#forget(upload);
    await upload.writer.stop();
    await this.#intake.abandon(upload.arrival, failure);
  }

  #forget(upload: Upload): void {
    const { uploadId } = upload.options;
    clearTimeout(upload.timer);
    if (uploadId !== undefined && this.#named.get(uploadId) === upload) this.#named.delete(uploadId);
  }
}

/** What a body has. It is left as it is, so that whoever owns it can still answer. @throws BrokenOff when it fails */
async function* chunksOf(body: Body): AsyncGenerator<Uint8Array> {
  const chunks = body.iterator({ destroyOnReturn: false });
  for (;;) {
    let next: IteratorResult<unknown>;
    try {
      next = (await chunks.next()) as IteratorResult<unknown>;
    } catch (thrown) {
      // Of a body that was destroyed before it was read, the iterator does not tell why.
      const error = body.errored ?? thrown;
      if (error instanceof KitchenError) throw error;
      throw new BrokenOff(messageOf(error), { cause: error });
    }
    if (next.done === true) return;
    yield typeof next.value === "string" ? Buffer.from(next.value) : (next.value as Uint8Array);
  }
}

function isSameTarget(a: ReceiveOptions, b: ReceiveOptions): boolean {
  return (
    a.url === b.url && a.codec === b.codec && a.type === b.type && a.size === b.size && a.sha256 === b.sha256
  );
}

function cannotSave({ url }: ReceiveOptions): string {
  return `Cannot save data as "${url}"`;
}

function wrong(options: ReceiveOptions, why: string): KitchenError {
  return new KitchenError("KS_BAD_REQUEST", `${cannotSave(options)}: ${why} (send it again)`);
}

function conflict(url: string, why: string): KitchenError {
  return new KitchenError("KS_CONFLICT", `Cannot continue the upload of "${url}": ${why}`);
}

function brokenOff({ options, writer }: Upload, cause: Error): KitchenError {
  const wayOut = options.uploadId === undefined ? "send it again" : "go on from there within ten minutes";
  return new KitchenError(
    "KS_DATA_UNAVAILABLE",
    `${cannotSave(options)}: it broke off after ${writer.acceptedBytes} bytes: ${cause.message} (${wayOut})`,
    { cause },
  );
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("aborted");
}
