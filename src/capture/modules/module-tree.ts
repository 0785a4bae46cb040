/** A node of a syntax tree, as a program that looks at all of them sees it. */
export interface TreeNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

export interface Visited {
  readonly node: TreeNode;
  readonly parent: TreeNode | undefined;
  readonly isInFunction: boolean;
}

/** Shows every node of a tree, parents first. From a list, so that depth is no limit. */
export function eachNode(root: object, see: (visited: Visited) => void): void {
  const waiting: Visited[] = [{ node: root as TreeNode, parent: undefined, isInFunction: false }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    see(next);
    const { node } = next;
    const isInFunction = next.isInFunction || FUNCTION.test(node.type);
    for (const child of childrenOf(node)) waiting.push({ node: child, parent: node, isInFunction });
  }
}

const FUNCTION = /^(Arrow)?Function(Expression|Declaration)$/;

function childrenOf(node: TreeNode): TreeNode[] {
  const children: TreeNode[] = [];
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) children.push(...value.filter(isNode));
    else if (isNode(value)) children.push(value);
  }
  return children;
}

function isNode(value: unknown): value is TreeNode {
  return typeof value === "object" && value !== null && typeof (value as TreeNode).type === "string";
}
