export { define, namespace, type Namespace, type StandardSchema } from "./worker/functions.ts";
