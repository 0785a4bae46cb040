/** The package's version; a test compares it with package.json. */
export const PACKAGE_VERSION = "0.1.0";
/** Nodes and clients of different protocol versions refuse each other. */
export const PROTOCOL_VERSION = 8;
/** The header in which both sides say theirs. */
export const PROTOCOL_HEADER = "kitchensink-protocol";
/** The header in which nodes tell each other of which cluster they are. */
export const CLUSTER_HEADER = "kitchensink-cluster";
