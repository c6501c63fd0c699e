/** Sums over the frames in which two signals are good, about their means. */
export interface PairSums {
  readonly count: number;
  readonly meanX: number;
  readonly meanY: number;
  /** Sums of squares and products of what is left without the means. */
  readonly xx: number;
  readonly yy: number;
  readonly xy: number;
  /** Is a signal the same in all of them? Then its squares are rounding. */
  readonly constantX: boolean;
  readonly constantY: boolean;
}

/** @param x and y: values by frame, NaN where not good. Undefined: there is no frame in which both are good. */
export const pairSums = (x: Float64Array, y: Float64Array): PairSums | undefined => {
  let count = 0;
  let meanX = 0;
  let meanY = 0;
  for (let i = 0; i < x.length; i++) {
    if (Number.isNaN(x[i]) || Number.isNaN(y[i])) continue;
    meanX += x[i] as number;
    meanY += y[i] as number;
    count += 1;
  }
  if (count === 0) return undefined;
  meanX /= count;
  meanY /= count;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  let first = -1;
  let constantX = true;
  let constantY = true;
  for (let i = 0; i < x.length; i++) {
    if (Number.isNaN(x[i]) || Number.isNaN(y[i])) continue;
    if (first < 0) first = i;
    const dx = (x[i] as number) - meanX;
    const dy = (y[i] as number) - meanY;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
    constantX &&= x[i] === x[first];
    constantY &&= y[i] === y[first];
  }
  return { count, meanX, meanY, xx, yy, xy, constantX, constantY };
};

/** Pearson's correlation, −1 to 1. Undefined where one of the two is constant. */
export const correlationOf = ({ xx, yy, xy, constantX, constantY }: PairSums): number | undefined =>
  // Rounding alone may bring it beyond.
  constantX || constantY ? undefined : Math.max(-1, Math.min(1, xy / (Math.sqrt(xx) * Math.sqrt(yy))));
