export * from "../dist/capture.js";
