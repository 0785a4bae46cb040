/**
 * How functions and values become bytes. The guide: [closures.md](../closures.md).
 *
 * @module Capturing and codecs
 */
export { closure, registerCodec, type Codec } from "../../../src/index.ts";
export { capture, revive, type CaptureOptions } from "../../../src/capture.ts";
