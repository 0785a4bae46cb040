import { namespace } from "kitchensink/functions";

/** Adds two numbers. */
const add = (a: number, b: number): number => a + b;

export default namespace("bench", { add });
