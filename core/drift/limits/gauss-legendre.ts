/** A node and its weight. */
export type Node = readonly [at: number, weight: number];

/** Nodes and weights of Gauss–Legendre quadrature on [low, high], by Newton's method on the Legendre polynomial (Press et al. §4.6.1). */
export const gaussLegendre = (n: number, low: number, high: number): readonly Node[] => {
  const half = (high - low) / 2;
  const middle = (high + low) / 2;
  const nodes: Node[] = [];
  for (let i = 1; i <= n; i++) {
    let x = Math.cos((Math.PI * (i - 0.25)) / (n + 0.5));
    let derivative = 1;
    for (let step = 0; step < 100; step++) {
      let [p, before] = [1, 0];
      for (let j = 1; j <= n; j++) [p, before] = [((2 * j - 1) * x * p - (j - 1) * before) / j, p];
      derivative = (n * (x * p - before)) / (x * x - 1);
      const change = p / derivative;
      x -= change;
      if (Math.abs(change) < 1e-15) break;
    }
    nodes.push([middle - half * x, (2 * half) / ((1 - x * x) * derivative * derivative)]);
  }
  return nodes;
};
