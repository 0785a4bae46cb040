const limit = 3;
export const rewritten = (n: number): boolean => n > limit;
