/**
 * What is thrown where a job is awaited. Each code with its cause and the way out: [errors.md](../errors.md).
 *
 * @module Errors
 */
export { KitchenError, type ErrorCode, RemoteError, registerError } from "../../../src/index.ts";
