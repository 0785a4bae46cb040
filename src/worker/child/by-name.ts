import { KitchenError } from "../../core/errors.ts";
import { schemaOf, type AnyFunction } from "../functions.ts";
import { nameOf, parametersOf, takenApart } from "./parameters.ts";

/**
 * Arguments that were given by the names of the parameters, in the order of these; those that were left out are
 * `undefined`. A function made by `define`, and one whose only parameter takes an object apart, take them as they are.
 *
 * @throws KitchenError `KS_INVALID_ARGUMENTS` when no parameter has such a name
 */
export function argumentsByName(fn: AnyFunction, given: object): readonly unknown[] {
  const parameters = parametersOf(fn);
  if (schemaOf(fn) !== undefined || takenApart(parameters) !== undefined) return [given];
  const names = parameters.map(nameOf).filter((name) => name !== undefined);
  if (names.length < parameters.length) throw misfit("not all parameters have names");
  const values = new Map(Object.entries(given));
  const strange = [...values.keys()].find((name) => !names.includes(name));
  if (strange === undefined) return names.map((name) => values.get(name));
  const known = names.length === 0 ? "and no other" : `only ${names.join(", ")}`;
  throw misfit(`there is no parameter "${strange.slice(0, 100)}", ${known}`);
}

function misfit(why: string): KitchenError {
  return new KitchenError("KS_INVALID_ARGUMENTS", `The arguments do not fit: ${why} (send a JSON array)`);
}
