import { PassThrough } from "node:stream";
import { start } from "node:repl";
import { expect, onTestFinished, test } from "vitest";
import { AbovePrompt } from "../../../src/cli/repl/above-prompt.ts";
import { outputOf, type JobOutput } from "../../../src/client/output/output.ts";
import { newJobId } from "../../../src/client/calls/new-job-id.ts";

interface Prompt {
  readonly above: AbovePrompt;
  readonly shown: () => Buffer;
  readonly job: () => JobOutput;
}

function prompt({ terminal }: { readonly terminal: boolean }): Prompt {
  const output = new PassThrough();
  const pieces: Buffer[] = [];
  output.on("data", (piece: Buffer) => pieces.push(piece));
  const server = start({ prompt: "> ", input: new PassThrough(), output, terminal });
  onTestFinished(() => server.close());
  const above = new AbovePrompt(server, output);
  above.show();
  return {
    above,
    shown: () => Buffer.concat(pieces),
    job: () => outputOf(above.sinks, { id: newJobId(), label: "job" }),
  };
}

const bytes = Buffer.from("漢字");

test("characters of two jobs that come in halves stay whole, as do those of the two streams of one", () => {
  const { above, job, shown } = prompt({ terminal: true });
  const [one, another] = [job(), job()];
  const write = (piece: Uint8Array): void => {
    one.write("stdout", piece, 0);
    one.write("stderr", piece, 0);
    another.write("stdout", piece, 0);
  };
  write(bytes.subarray(0, 1));
  write(bytes.subarray(1, 5));
  above.hide();
  write(bytes.subarray(5));
  write(Buffer.from("\n"));
  expect(shown().toString()).not.toContain("\ufffd");
  expect(shown().toString().match(/漢/g)).toHaveLength(3);
  expect(shown().toString().match(/字/g)).toHaveLength(3);
});

test("lines that two jobs have not ended are shown on lines of their own", async () => {
  const { job, shown } = prompt({ terminal: true });
  const [one, another] = [job(), job()];
  one.write("stdout", Buffer.from("first"), 0);
  another.write("stdout", Buffer.from("second"), 0);
  one.write("stdout", Buffer.from(" of one\n"), 0);
  await expect.poll(() => shown().toString()).toMatch(/first of one\n[^]*second\n/);
});

test("where there is no terminal, output is passed on byte for byte", () => {
  const { job, shown } = prompt({ terminal: false });
  const before = shown().length;
  const odd = Buffer.from([0xff, 0x00, 0xc3]);
  job().write("stdout", odd, 0);
  expect(shown().subarray(before)).toEqual(odd);
});
