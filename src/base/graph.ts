/** Nodes by name, each with the names it needs first. Names that are no nodes are passed over. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/**
 * Every elementary knot of the graph once, as the path that closes it: `[a, b, a]`; empty where there is none.
 * One path per knot is enough to name it: whoever cuts an edge asks again.
 */
export function findCycles(graph: Graph): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): void => {
    const at = path.indexOf(node);
    if (at >= 0) {
      cycles.push([...path.slice(at), node]);
      return;
    }
    if (done.has(node)) return;
    path.push(node);
    for (const next of graph.get(node) ?? []) if (graph.has(next)) visit(next);
    path.pop();
    done.add(node);
  };
  for (const node of graph.keys()) visit(node);
  return cycles;
}
