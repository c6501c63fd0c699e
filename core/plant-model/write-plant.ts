import { Document, isScalar, isSeq, visit } from 'yaml';
import type { AssetModel, PlantModel } from '../contracts/plant-model.ts';
import { columnFields } from './columns.ts';
import { csvOf } from './csv-files.ts';
import type { PlantFile } from './problem.ts';
import type { Section } from './sections.ts';

/** Fields in the order of the columns of the section, the parts of an entry last. */
const ordered = (section: Section, item: object): object => {
  const names = columnFields(section);
  const rank = (field: string): number => (names.includes(field) ? names.indexOf(field) : names.length);
  return Object.fromEntries(Object.entries(item).sort(([a], [b]) => rank(a) - rank(b)));
};

const yaml = (content: object): string => {
  const document = new Document({ schema: 'plant-model/1', ...content });
  visit(document, {
    // Ranges and lists of names on one line: so a signal is read, and a change of it is one line.
    Seq(_, node) {
      if (isSeq(node) && node.items.every(isScalar)) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
};

const modelFile = (model: AssetModel): PlantFile => ({
  path: `models/${model.id}.yaml`,
  text: yaml({
    models: [{ ...ordered('models', model), signals: model.signals.map((s) => ordered('model-signals', s)) }],
  }),
});

const listed = (name: string, items: readonly object[]) => (items.length === 0 ? {} : { [name]: items });

const csvFile = (section: Section, items: readonly object[]): readonly PlantFile[] =>
  items.length === 0 ? [] : [{ path: `${section}.csv`, text: csvOf(section, items) }];

const assetFiles = ({ assets }: PlantModel): readonly PlantFile[] => [
  ...csvFile('assets', assets),
  ...csvFile(
    'asset-signals',
    assets.flatMap((a) => a.signals.map((s) => ({ ...s, asset: a.id }))),
  ),
];

/**
 * The files that people keep a plant in: what is where and how it is connected, a file for each asset model, and the
 * long lists of assets as CSV. The same plant gives the same bytes.
 * @param plant in canonical order.
 */
export const plantFiles = (plant: PlantModel): readonly PlantFile[] => [
  {
    path: 'plant.yaml',
    text: yaml({
      enterprise: plant.enterprise,
      ...listed(
        'places',
        plant.places.map((p) => ordered('places', p)),
      ),
      ...listed(
        'connections',
        plant.connections.map((c) => ordered('connections', c)),
      ),
      ...listed(
        'hierarchies',
        plant.hierarchies.map((h) => ({
          ...ordered('hierarchies', h),
          nodes: h.nodes.map((n) => ordered('hierarchy-nodes', n)),
        })),
      ),
    }),
  },
  ...plant.models.map(modelFile),
  ...assetFiles(plant),
];

/** A plant as CSV alone, a file for each section: for spreadsheets and other systems. */
export const plantCsvFiles = (plant: PlantModel): readonly PlantFile[] => [
  ...csvFile('enterprise', [plant.enterprise]),
  ...csvFile('places', plant.places),
  ...csvFile('connections', plant.connections),
  ...csvFile('hierarchies', plant.hierarchies),
  ...csvFile(
    'hierarchy-nodes',
    plant.hierarchies.flatMap((h) => h.nodes.map((n) => ({ ...n, hierarchy: h.id }))),
  ),
  ...csvFile('models', plant.models),
  ...csvFile(
    'model-signals',
    plant.models.flatMap((m) => m.signals.map((s) => ({ ...s, model: m.id }))),
  ),
  ...assetFiles(plant),
];

/** A plant as one JSON document, `plant-model/1`. */
export const plantJson = (plant: PlantModel): string => `${JSON.stringify(plant, null, 2)}\n`;
