export { capture, type CaptureOptions } from "./capture/capture.ts";
export { closure } from "./capture/closure.ts";
export { revive } from "./capture/revive.ts";
