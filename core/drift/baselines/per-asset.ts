import { type Counts, unpack } from './counts.ts';
import type { Learned } from './learned.ts';
import { shrunk } from './shrink.ts';

/** What an asset showed of itself, shrunk to its fleet: it is held against itself as far as its own windows carry. */
export const perAssetCounts = (own: Learned, fleet: Counts, designs?: readonly number[]): Counts =>
  shrunk(unpack(own.packed), fleet, designs);

/**
 * Level of an asset shrunk to that of its fleet (James & Stein; Efron & Morris 1975): the share of the own mean is the share
 * of the variance that lies between assets.
 * @param o.own, o.fleet means. @param o.windows that the own mean was taken over.
 * @param o.within variance of one window of an asset. @param o.between variance between assets.
 */
export const perAssetLevel = (o: {
  readonly own: number;
  readonly windows: number;
  readonly fleet: number;
  readonly within: number;
  readonly between: number;
}): number => {
  const ofMean = o.within / o.windows;
  const share = o.between + ofMean > 0 ? o.between / (o.between + ofMean) : 1;
  return o.fleet + share * (o.own - o.fleet);
};

/** Variance within and between assets, from windows of each (one-way analysis of variance, method of moments). */
export const varianceOfAssets = (
  assets: readonly (readonly number[])[],
): { readonly within: number; readonly between: number } => {
  const means = assets.map((w) => w.reduce((a, b) => a + b, 0) / w.length);
  const freedom = assets.reduce((total, w) => total + w.length - 1, 0);
  const squares = assets.reduce((total, w, i) => total + w.reduce((s, x) => s + (x - (means[i] as number)) ** 2, 0), 0);
  const within = freedom > 0 ? squares / freedom : 0;
  const grand = means.reduce((a, b) => a + b, 0) / means.length;
  const ofMeans = means.length > 1 ? means.reduce((s, m) => s + (m - grand) ** 2, 0) / (means.length - 1) : 0;
  const perWindow = assets.reduce((s, w) => s + 1 / w.length, 0) / assets.length;
  return { within, between: Math.max(0, ofMeans - within * perWindow) };
};
