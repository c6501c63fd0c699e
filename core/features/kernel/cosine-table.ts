/** Taylor polynomials of cosine and sine, exact to the last bit or two for 0 ≤ x ≤ π/4. */
const cosine = (x: number): number => {
  const s = x * x;
  let sum = 1;
  for (let k = 18; k > 0; k -= 2) sum = 1 - (sum * s) / (k * (k - 1));
  return sum;
};
const sine = (x: number): number => {
  const s = x * x;
  let sum = 1;
  for (let k = 19; k > 1; k -= 2) sum = 1 - (sum * s) / (k * (k - 1));
  return x * sum;
};

/**
 * Cosine of 2π·k/size for 0 ≤ k < size, by octants.
 * Only + − × ÷: the language leaves the last bits of Math.cos to the engine, and a feature must not differ between the
 * machine that trains and the one that decides.
 */
export const cosineOf = (k: number, size: number): number => {
  const folded = 2 * k > size ? size - k : k;
  const left = 4 * folded > size;
  const quarter = left ? size / 2 - folded : folded;
  const angle = (2 * Math.PI * quarter) / size;
  const value = 8 * quarter <= size ? cosine(angle) : sine((2 * Math.PI * (size / 4 - quarter)) / size);
  return left ? -value : value;
};

/** `cosineOf` each k below `size`. */
export const cosineTable = (size: number): Float64Array =>
  Float64Array.from({ length: size }, (_, k) => cosineOf(k, size));
