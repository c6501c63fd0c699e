import { z } from 'zod';
import { AssetId, Instant, Slug } from '../contracts/primitives.ts';
import { parseCsv } from '../text/csv.ts';

/** A label of a person's own: what turned out to be true of a machine at a time. */
export const Label = z.strictObject({
  asset: AssetId,
  run: Slug.optional().describe('absent: of whatever run the machine is in'),
  time: Instant.describe('what the model is to know: nothing later than this'),
  label: z.number(),
  as_of: Instant.optional().describe('by when features had to be known; absent: by time'),
  known_time: Instant.optional().describe('when the label was known; absent: at its time'),
});
export type Label = z.infer<typeof Label>;

export interface LabelFile {
  readonly labels: readonly Label[];
  /** Line and reason of each row that is no label. */
  readonly bad: readonly { readonly line: number; readonly reason: string }[];
}

const COLUMNS = Object.keys(Label.shape);

/** Labels of a CSV text: a heading with the names of the fields, in any order; an empty cell is no field. */
export const parseLabels = (text: string): LabelFile => {
  const [heading, ...records] = parseCsv(text);
  const header = (heading?.fields ?? []).map((h) => h.trim());
  const unknown = header.filter((h) => !COLUMNS.includes(h));
  const missing = ['asset', 'time', 'label'].filter((h) => !header.includes(h));
  if (unknown.length > 0 || missing.length > 0) {
    const found = unknown.length > 0 ? `there is no column ${unknown.join(', ')}` : `it has no ${missing.join(', ')}`;
    return { labels: [], bad: [{ line: 1, reason: `heading: expected columns of ${COLUMNS.join(', ')}; ${found}` }] };
  }
  const labels: Label[] = [];
  const bad: { line: number; reason: string }[] = [];
  for (const { line, fields } of records) {
    const cells = header.map((name, i) => [name, (fields[i] ?? '').trim()] as const).filter(([, cell]) => cell !== '');
    const parsed = Label.safeParse(
      Object.fromEntries(cells.map(([name, cell]) => [name, name === 'label' ? Number(cell) : cell])),
    );
    if (fields.length !== header.length)
      bad.push({ line, reason: `${header.length} cells expected as in the heading, ${fields.length} found` });
    else if (parsed.success) labels.push(parsed.data);
    else bad.push({ line, reason: parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ') });
  }
  const withRun = labels.filter((l) => l.run !== undefined).length;
  if (withRun > 0 && withRun < labels.length)
    bad.push({ line: 1, reason: `${withRun} of ${labels.length} labels name a run: expected all or none` });
  return { labels, bad };
};

const knownOf = (label: Label): string => label.known_time ?? label.time;

/**
 * Labels as known at an instant, in the order of the file: of those for one machine, run and time the one that was known
 * last, of several at one instant the last of the file. What became known later does not exist yet.
 */
export const labelsKnownAt = (labels: readonly Label[], knownAt: string): readonly Label[] => {
  const known = new Map<string, Label>();
  for (const label of labels) {
    if (knownOf(label) > knownAt) continue;
    const id = `${label.asset}/${label.run ?? ''}/${label.time}`;
    const other = known.get(id);
    if (other === undefined || knownOf(label) >= knownOf(other)) known.set(id, label);
  }
  const standing = new Set(known.values());
  return labels.filter((l) => standing.has(l));
};
