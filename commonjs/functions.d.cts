export * from "../dist/functions.js";
