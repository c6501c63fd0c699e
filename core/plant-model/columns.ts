import { QualityRules } from '../contracts/quality.ts';
import type { Section } from './sections.ts';

/** How a cell is written: a range as `0..6000`, a list with spaces between. */
export type CellKind = 'text' | 'number' | 'range' | 'list';
export interface Column {
  /** Dots lead into a field: `sampling.mode`. */
  readonly name: string;
  readonly kind: CellKind;
}

const of = (kind: CellKind, names: string): readonly Column[] => names.split(' ').map((name) => ({ name, kind }));

const SIGNAL: readonly Column[] = [
  ...of('text', 'unit rec20'),
  ...of('range', 'engineeringRange instrumentRange'),
  ...of('text', 'sampling.mode'),
  ...of('number', 'sampling.intervalSeconds'),
  ...of('text', 'sampling.deadband.kind'),
  ...of('number', 'sampling.deadband.value sampling.maxSilenceSeconds'),
];
const QUALITY: readonly Column[] = Object.keys(QualityRules.shape).map((rule) => ({
  name: `quality.${rule}`,
  kind: rule === 'range' ? 'range' : 'number',
}));
const KEPT: readonly Column[] = [...of('text', 'criticality owner'), ...of('number', 'version')];

/** Columns of the CSV file of each section; what names an entry comes first. */
export const COLUMNS: Readonly<Record<Section, readonly Column[]>> = {
  enterprise: of('text', 'id name'),
  places: of('text', 'id name level within'),
  connections: of('text', 'id protocol endpoint says'),
  hierarchies: of('text', 'id name'),
  'hierarchy-nodes': [...of('text', 'hierarchy id name within'), ...of('list', 'assets')],
  models: [...of('text', 'id name assetClass owner'), ...of('number', 'version')],
  'model-signals': [
    ...of('text', 'model name says dataType'),
    ...SIGNAL,
    ...of('number', 'sampleRateHz samples'),
    ...QUALITY,
    ...KEPT,
    ...of('text', 'address'),
  ],
  assets: of('text', 'id name model at serial commissioned connection'),
  'asset-signals': [
    ...of('text', 'asset name says'),
    ...SIGNAL,
    ...QUALITY,
    ...KEPT,
    ...of('text', 'connection address'),
  ],
};

/** Fields of an entry of the section that have columns, in their order. */
export const columnFields = (section: Section): readonly string[] => [
  ...new Set(COLUMNS[section].map((c) => c.name.split('.')[0] as string)),
];

/** Columns without which a row of the section names nothing. */
export const KEYS: Readonly<Record<Section, readonly string[]>> = {
  enterprise: ['id'],
  places: ['id'],
  connections: ['id'],
  hierarchies: ['id'],
  'hierarchy-nodes': ['hierarchy', 'id'],
  models: ['id'],
  'model-signals': ['model', 'name'],
  assets: ['id'],
  'asset-signals': ['asset', 'name'],
};
