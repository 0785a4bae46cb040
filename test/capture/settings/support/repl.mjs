// The REPL that programs start, in either of its modes.
import repl from "node:repl";

repl.start({ prompt: "> ", useGlobal: process.argv[2] === "global", terminal: false });
