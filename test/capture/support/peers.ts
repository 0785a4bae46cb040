// oxlint-disable vitest/valid-title -- the names come from the tables of cases
import { type ChildProcess, fork } from "node:child_process";
import type * as Assertions from "node:assert";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** What a process answers: a value, or what was thrown. */
export interface Reply {
  readonly id: number;
  readonly value?: Uint8Array | string;
  readonly error?: string;
  readonly message?: string;
  readonly code?: string;
  readonly cause?: string;
}

type Assert = typeof Assertions;

/** A value made in one process, and what must hold of it after it was revived. */
export interface Case {
  readonly value: () => unknown;
  readonly options?: { readonly modules: "value" | "source" };
  readonly check?: (revived: any, assert: Assert) => unknown;
  /** What the other process does with the revived value; its result is sent back. */
  readonly remote?: (revived: any) => unknown;
  /** What must hold of the result where the value came from. */
  readonly back?: (result: any, assert: Assert) => unknown;
  /** Why what came back cannot go there and back again. */
  readonly once?: string;
  /** What the refusal says, for values that must not travel. */
  readonly refuses?: RegExp;
}

/** A child process that answers requests one by one and ends when the test file does. */
export class Peer {
  readonly #child: ChildProcess;
  #count = 0;

  /** @param execPath the Node that runs it */
  constructor(execPath: string = process.execPath, execArgv: readonly string[] = []) {
    this.#child = fork(new URL("./peer.mjs", import.meta.url), {
      serialization: "advanced",
      execArgv: [...execArgv],
      execPath,
    });
  }

  async ask(request: object): Promise<Reply> {
    const id = this.#count++;
    const replied = new Promise<Reply>((resolve, reject) => {
      const onMessage = (reply: Reply): void => {
        if (reply.id !== id) return;
        this.#child.off("message", onMessage).off("exit", onExit);
        resolve(reply);
      };
      const onExit = (code: number | null, signal: string | null): void =>
        reject(new Error(`the peer ended: ${code ?? signal}`));
      this.#child.on("message", onMessage).once("exit", onExit);
    });
    this.#child.send({ ...request, id });
    return await replied;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.disconnect();
    await exited;
  }
}

/** Runs every case of a fixture file in one process and across two. */
export function testCases(area: string, url: URL, cases: Readonly<Record<string, Case>>): void {
  describe(area, () => {
    let sender: Peer;
    let receiver: Peer;
    beforeAll(() => {
      sender = new Peer();
      receiver = new Peer();
    });
    afterAll(async () => {
      await Promise.all([sender.end(), receiver.end()]);
    });
    const all = Object.entries(cases).map(([name, { refuses }]) => ({
      name,
      refuses,
      request: { file: url.href, name },
    }));
    for (const { name, refuses, request } of all.filter((one) => one.refuses !== undefined)) {
      test(`${name}: refused`, async () => {
        const { code, message } = await sender.ask({ ...request, operation: "capture" });
        expect(message).toMatch(refuses as RegExp);
        expect(code).toBe("KS_CANNOT_CAPTURE");
      });
    }
    for (const { name, request } of all.filter((one) => one.refuses === undefined)) {
      test(name, async () => {
        const { error: inOneProcess } = await sender.ask({ ...request, operation: "both" });
        const { value: bytes, error: whileCapturing } = await sender.ask({
          ...request,
          operation: "capture",
        });
        expect({ inOneProcess, whileCapturing }).toEqual({});
        const { error: acrossProcesses } = await receiver.ask({ ...request, operation: "check", bytes });
        expect({ acrossProcesses }).toEqual({});
      });
    }
  });
}

/** Sends every value of a fixture file to another process, and what is made of it there back, and there and back again. */
export function testReturns(area: string, url: URL, cases: Readonly<Record<string, Case>>): void {
  describe(area, () => {
    let sender: Peer;
    let receiver: Peer;
    beforeAll(() => {
      sender = new Peer();
      receiver = new Peer();
    });
    afterAll(async () => {
      await Promise.all([sender.end(), receiver.end()]);
    });
    for (const [name, one] of Object.entries(cases)) {
      const request = { file: url.href, name };
      test(name, async () => {
        const { value: bytes, error: whileCapturing } = await sender.ask({
          ...request,
          operation: "capture",
        });
        expect({ whileCapturing }).toEqual({});
        const { value: result, error: there } = await receiver.ask({
          ...request,
          operation: "remote",
          bytes,
        });
        expect({ there }).toEqual({});
        const { error: back } = await sender.ask({ ...request, operation: "back", bytes: result });
        expect({ back }).toEqual({});
        if (one.once !== undefined) return;
        const { value: again, error: whileLeaving } = await sender.ask({ operation: "again", bytes: result });
        expect({ whileLeaving }).toEqual({});
        const { value: onward, error: thereAgain } = await receiver.ask({ operation: "again", bytes: again });
        expect({ thereAgain }).toEqual({});
        const { error: backAgain } = await sender.ask({ ...request, operation: "back", bytes: onward });
        expect({ backAgain }).toEqual({});
      });
    }
  });
}
