import { installSources } from "./worker/sources/install.ts";

export { capture, type CaptureOptions, type ModulesOption } from "./capture/capture.ts";
export { closure } from "./capture/closure.ts";
export { revive } from "./capture/revive.ts";

installSources();
