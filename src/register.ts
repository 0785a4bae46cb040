/**
 * `node --import kitchensink/register main.ts` runs TypeScript as it is, on every Node that this package supports.
 * Stacks show the TypeScript lines.
 */
import process from "node:process";
import { installTypeScript } from "./worker/typescript/install.ts";

process.setSourceMapsEnabled(true);
installTypeScript({ ownsPackage: false });
