/**
 * What a `--module` file registers functions with. The guide: [functions.md](../functions.md).
 *
 * @module Registered functions
 */
export { namespace, define, type Namespace, type StandardSchema } from "../../../src/functions.ts";
