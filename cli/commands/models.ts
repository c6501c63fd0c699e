import { findPackage, modelLines, oneModelLine, wasJudged } from '../find.ts';
import { ago, answer, figure, type Output, short, table } from '../output.ts';
import type { World } from '../world.ts';

/** Packages of each model line, newest first, with what each variant reached on sealed test runs. */
export const models = async (
  world: World,
  out: Output,
  options: { readonly modelLine?: string; readonly limit: number },
): Promise<void> => {
  const lines =
    options.modelLine === undefined ? await modelLines(world) : [await oneModelLine(world, options.modelLine)];
  const champions = new Set(lines.map((l) => l.champion?.packageDigest));
  const records = (await world.registry.list('package', { limit: 500 }))
    .filter((r) => lines.some((l) => l.modelLine === r.body['modelLine']))
    .slice(0, options.limit);
  const rows = await Promise.all(
    records.map(async (r) => {
      const [{ manifest }, judged] = await Promise.all([
        findPackage(world, String(r.body['modelLine']), r.id),
        wasJudged(world, r.id),
      ]);
      const rmse = (name: string) => manifest.variants.find((v) => v.name === name);
      return {
        packageDigest: r.id,
        modelLine: manifest.modelLine,
        releaseNumber: manifest.releaseNumber,
        createdAt: manifest.createdAt,
        expiresAt: manifest.expiresAt,
        champion: champions.has(r.id),
        judged,
        unit: manifest.label.unit,
        fp32: rmse('fp32') ?? null,
        int8: rmse('int8') ?? null,
        snapshotDigest: manifest.snapshotDigest,
        trainingJob: manifest.trainingJob,
      };
    }),
  );
  const now = world.now();
  type Row = (typeof rows)[number];
  const variant = (r: Row, v: Row['fp32']): string =>
    v === null ? '–' : r.judged ? `${figure(v.testRmse)}${v.admitted ? '' : ' (not admitted)'}` : 'not judged';
  answer(out, rows, () =>
    table<Row>(
      out,
      rows,
      [
        { title: '', of: (r) => (r.champion ? '★' : ' '), style: (r) => (r.champion ? 'yellow' : null) },
        { title: 'PACKAGE', of: (r) => short(r.packageDigest), style: (r) => (r.champion ? 'bold' : null) },
        { title: 'MODEL LINE', of: (r) => r.modelLine },
        { title: 'NO', of: (r) => String(r.releaseNumber), align: 'right' },
        { title: 'RMSE FP32', of: (r) => variant(r, r.fp32), align: 'right' },
        { title: 'RMSE INT8', of: (r) => variant(r, r.int8), align: 'right' },
        { title: 'IN', of: (r) => r.unit },
        { title: 'MADE', of: (r) => ago(r.createdAt, now) },
      ],
      'No model yet: run "millwright retrain --wait".',
    ),
  );
};
