import type { PlantAsset, PlantModel } from '#core/contracts/plant-model.ts';
import { countsOf } from '#core/plant-model/canonical.ts';
import type { SignalUser } from '#core/plant-model/checks/draft.ts';
import { hierarchyPath, placePath } from '#core/plant-model/places.ts';
import { readPlant } from '#core/plant-model/read-plant.ts';
import { type ResolvedSignal, signalsOf } from '#core/plant-model/signals-of.ts';
import { plantCsvFiles, plantFiles, plantJson } from '#core/plant-model/write-plant.ts';
import { didYouMean, nearestOf } from '#core/text/nearest.ts';
import { opcUaUnitId, unitOf } from '#core/units/units.ts';
import { CliError, EXIT } from '../errors.ts';
import { readPlantFiles, writePlantFiles } from '../files/plant-folder.ts';
import { writeFile } from '../files/write-file.ts';
import { answer, facts, many, type Output, paint, say, table } from '../output.ts';

/** `3 places, 1 connection, …`. */
export const countsText = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([what, n]) => `${n} ${n === 1 ? what.replace(/ies$/, 'y').replace(/s$/, '') : what}`)
    .join(', ');

/** A plant without a mistake, in canonical order. @throws {CliError} with the first mistakes. */
export const soundPlant = (path: string, useCases: readonly SignalUser[] = []): PlantModel => {
  const { plant, problems } = readPlant(readPlantFiles(path), useCases);
  if (plant !== null) return plant;
  const first = problems.slice(0, 3).map((p) => `${p.file}:${p.line}: ${p.message}`);
  throw new CliError(
    [`${path} has ${many(problems.length, 'mistake')}`, ...first].join('\n'),
    `run "millwright plant check ${path}" and mend them`,
  );
};

/** Names every mistake of a plant, by file and line. @throws {CliError} when there is one. */
export const checkPlant = async (out: Output, path: string, useCases: readonly SignalUser[]): Promise<void> => {
  const { plant, problems } = readPlant(readPlantFiles(path), useCases);
  const counts = plant === null ? null : countsOf(plant);
  answer(out, { ok: plant !== null, counts, problems }, () => {
    for (const p of problems) say(out, `${paint(out, 'dim', `${p.file}:${p.line}`)}  ${p.message}`);
    if (counts !== null) say(out, `${path}: ${countsText(counts)}; ${paint(out, 'green', 'no mistake')}`);
  });
  if (plant === null)
    throw new CliError(`${path} has ${many(problems.length, 'mistake')}`, 'mend them and run the command again');
};

export interface ExportOptions {
  readonly format: 'csv' | 'json';
  /** Of CSV a folder; of JSON a file, absent = standard output. */
  readonly to: string | undefined;
}

/** A plant as CSV files or as one JSON document. */
export const exportPlant = async (out: Output, path: string, { format, to }: ExportOptions): Promise<void> => {
  const plant = soundPlant(path);
  if (format === 'json' && to === undefined) {
    out.write(plantJson(plant));
    return;
  }
  if (to === undefined)
    throw new CliError('CSV is several files, and no folder is named for them', 'add --out FOLDER', EXIT.usage);
  const files = format === 'csv' ? plantCsvFiles(plant) : [{ path: to, text: plantJson(plant) }];
  if (format === 'csv') writePlantFiles(to, files);
  else for (const { path: file, text } of files) writeFile(file, text);
  const counts = countsOf(plant);
  answer(out, { written: files.map((f) => f.path), counts }, () => say(out, `${to}: ${countsText(counts)}`));
};

/** A plant that another system wrote, as the files that people keep it in. */
export const importPlant = async (out: Output, path: string, to: string): Promise<void> => {
  const plant = soundPlant(path);
  const files = plantFiles(plant);
  writePlantFiles(to, files);
  const counts = countsOf(plant);
  answer(out, { written: files.map((f) => f.path), counts }, () => {
    for (const file of files) say(out, `${to}/${file.path}`);
    say(out, countsText(counts));
  });
};

const samplingText = ({ sampling: s }: ResolvedSignal): string => {
  if (s.mode === 'periodic') return `every ${s.intervalSeconds} s`;
  const { deadband } = s;
  const by = deadband === undefined ? '' : ` by ${deadband.value}${deadband.kind === 'percent' ? ' %' : ''}`;
  return `on change${by}, ${s.maxSilenceSeconds} s at most`;
};

/** Native address, with its connection where that is not the one of the asset. */
const addressText = ({ connection, address }: ResolvedSignal, asset: PlantAsset): string => {
  if (connection === undefined || address === undefined) return '–';
  return connection === asset.connection ? address : `${connection} ${address}`;
};

/** What a plant says of one asset: where it is, in which hierarchies, what it measures. @throws {CliError} when it has none of the name. */
export const showAsset = async (out: Output, path: string, id: string): Promise<void> => {
  const plant = soundPlant(path);
  const asset = plant.assets.find((a) => a.id === id);
  const model = plant.models.find((m) => m.id === asset?.model);
  if (asset === undefined || model === undefined) {
    const meant = nearestOf(
      id,
      plant.assets.map((a) => a.id),
    );
    throw new CliError(
      `${path} has no asset "${id}"`,
      didYouMean(meant, `"millwright plant export ${path} --format json" has its assets`),
      EXIT.notFound,
    );
  }
  const signals = signalsOf(model, asset).map((signal) => {
    const unit = unitOf(signal.unit);
    return {
      ...signal,
      unitName: unit?.name ?? signal.unit,
      ...(signal.rec20 === undefined ? {} : { opcUaUnitId: opcUaUnitId(signal.rec20) }),
    };
  });
  const hierarchies = [
    { hierarchy: 'physical', path: placePath(plant)(asset.at) },
    ...plant.hierarchies.flatMap((h) => {
      const way = hierarchyPath(h, asset.id);
      return way === undefined ? [] : [{ hierarchy: h.id, path: way }];
    }),
  ];
  answer(
    out,
    { asset: { ...asset, signals }, model: { id: model.id, assetClass: model.assetClass }, hierarchies },
    () => {
      say(out, `${asset.id}${asset.name === undefined ? '' : `  ${asset.name}`}`);
      facts(out, [
        ['model', `${model.id}${model.name === undefined ? '' : `, ${model.name}`} (class ${model.assetClass})`],
        ...hierarchies.map((h) => [h.hierarchy, `${h.path}/${asset.id}`] as const),
        ['serial', asset.serial ?? '–'],
        ['commissioned', asset.commissioned ?? '–'],
        ['connection', asset.connection ?? '–'],
      ]);
      say(out, '');
      table(
        out,
        signals,
        [
          { title: 'signal', of: (s) => s.name },
          { title: 'type', of: (s) => s.dataType },
          { title: 'unit', of: (s) => s.unit },
          { title: 'Rec 20', of: (s) => s.rec20 ?? '–' },
          { title: 'normal', of: (s) => s.engineeringRange?.join(' … ') ?? '–' },
          { title: 'taken', of: samplingText },
          { title: 'matters', of: (s) => s.criticality },
          { title: 'address', of: (s) => addressText(s, asset) },
        ],
        'no signals',
      );
    },
  );
};
