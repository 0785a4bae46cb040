/** With these a worker ends when it notices that it has lost what ties it to its node. */
export const EXIT_CODES = { "closed-output": 83, "closed-channel": 84 } as const;
