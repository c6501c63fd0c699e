import { statusAt } from '#core/alerts/change.ts';
import { similarCases } from '#core/alerts/similar.ts';
import { normalOf } from '#core/drift/sketch/cells.ts';
import { type FoundPackage, findPackage } from '../find.ts';
import { type FoundAlert, findAlert, readAlerts, shortId } from '../find-alert.ts';
import { ago, answer, facts, figure, type Output, paint, say, short, table } from '../output.ts';
import type { World } from '../world.ts';
import { featureViews } from './feature-views.ts';

const COLOUR = { open: 'red', acknowledged: 'yellow', shelved: 'dim', closed: 'green' } as const;
/** Inputs and cases that one screen shows. */
const INPUTS = 8;
const CASES = 5;

/** In words for people: what is closed says what it was. */
const statusOf = ({ alert }: Pick<FoundAlert, 'alert'>, now: string): string => {
  const status = statusAt(alert, now);
  return status === 'closed' ? `closed: ${alert.truth ?? '?'}` : status;
};

/** What waits for an operator, the newest first; shelved and closed ones only when asked for. */
export const alerts = async (
  world: World,
  out: Output,
  options: { readonly all: boolean; readonly asset?: string },
): Promise<void> => {
  const now = world.now();
  const { asset } = options;
  const found = (await readAlerts(world)).filter((a) => asset === undefined || a.alert.asset === asset);
  const waits = (a: FoundAlert): boolean => ['open', 'acknowledged'].includes(statusAt(a.alert, now));
  const shown = options.all ? found : found.filter(waits);
  answer(
    out,
    shown.map(({ alert, version }) => ({ ...alert, status: statusAt(alert, now), version })),
    () => {
      table(
        out,
        shown,
        [
          { title: 'ALERT', of: ({ alert }) => shortId(alert) },
          { title: 'STATUS', of: (a) => statusOf(a, now), style: ({ alert }) => COLOUR[statusAt(alert, now)] },
          { title: 'RAISED', of: ({ alert }) => ago(alert.raisedAt, now) },
          { title: 'BY', of: ({ alert }) => alert.by?.split('/').at(-1) ?? '–' },
          { title: 'THE MODEL SAYS', of: ({ alert }) => alert.says },
        ],
        `No alert waits${asset === undefined ? '' : ` for ${asset}`}.`,
      );
      const count = (status: string): number => found.filter((a) => statusAt(a.alert, now) === status).length;
      const hidden = (['shelved', 'closed'] as const).map((s) => [count(s), s] as const).filter(([n]) => n > 0);
      if (!options.all && hidden.length > 0)
        say(out, paint(out, 'dim', `${hidden.map(([n, s]) => `${n} ${s}`).join(', ')}: millwright alerts --all`));
    },
  );
};

/** Closed alerts of the line whose package saw the same features in the same order: what they turned out to be. */
const pastCases = async (world: World, { alert }: FoundAlert, found: FoundPackage) => {
  const closed = (await readAlerts(world)).filter(
    (a) => a.alert.truth !== null && a.alert.modelLine === alert.modelLine && a.alert.alertId !== alert.alertId,
  );
  const digests = [...new Set(closed.map((a) => a.alert.packageDigest))];
  const sameFeatures = new Set<string>();
  for (const digest of digests) {
    const other = digest === found.digest ? found : await findPackage(world, alert.modelLine, digest);
    if (other.manifest.featureSetDigest === found.manifest.featureSetDigest) sameFeatures.add(digest);
  }
  const { features } = found.manifest.featureSet;
  const stds = features.map(({ name }) => normalOf(found.baseline, name)?.scale ?? 0);
  const cases = closed.map((a) => a.alert).filter((a) => sameFeatures.has(a.packageDigest));
  return similarCases(alert.features, stds, cases, CASES);
};

/** One alert: what the model says, which inputs are how far from normal, what similar cases were, what to do. */
export const showAlert = async (world: World, out: Output, id: string): Promise<void> => {
  const found = await findAlert(world, id);
  const { alert } = found;
  const now = world.now();
  const model = await findPackage(world, alert.modelLine, alert.packageDigest);
  const inputs = featureViews(alert, model);
  const cases = await pastCases(world, found, model);
  const status = statusAt(alert, now);
  const similar = cases.map(({ case: c, distance }) => ({
    alertId: c.alertId,
    truth: c.truth,
    note: c.note,
    distance,
  }));
  answer(out, { ...alert, status, version: found.version, inputs, similar }, () => {
    say(out, `${paint(out, 'bold', `${alert.asset}, run ${alert.run}`)}: ${alert.says}`);
    facts(out, [
      ['next', alert.nextAction],
      ['status', `${statusOf(found, now)}${alert.by === null ? '' : ` by ${alert.by}`}`],
      ...(status === 'shelved' ? [['until', alert.shelvedUntil ?? '–'] as const] : []),
      ...(alert.note === '' ? [] : [['note', alert.note] as const]),
      ['raised', `${ago(alert.raisedAt, now)}, at ${model.manifest.indexUnit} ${alert.index} of the run`],
      ['decision', alert.decision],
      ['package', `${short(alert.packageDigest)} of ${alert.modelLine}`],
    ]);
    say(out, '\nWhat the model saw, furthest from normal first');
    table(
      out,
      inputs.slice(0, INPUTS),
      [
        { title: 'INPUT', of: (f) => f.name },
        { title: 'VALUE', of: (f) => figure(f.value, 4), align: 'right' },
        { title: 'NORMAL', of: (f) => figure(f.trainingMean, 4), align: 'right' },
        {
          title: 'AWAY (STD)',
          of: (f) => figure(f.distance, 1),
          align: 'right',
          style: (f) => (Math.abs(f.distance ?? 0) > 3 ? 'yellow' : null),
        },
        { title: '', of: (f) => (f.outside ? 'outside the validated range' : ''), style: () => 'red' },
      ],
      'The decision carries no inputs.',
    );
    if (inputs.length > INPUTS)
      say(out, paint(out, 'dim', `${inputs.length - INPUTS} more: millwright explain ${alert.decision}`));
    say(out, '\nSimilar cases before, nearest first');
    table(
      out,
      cases,
      [
        { title: 'ALERT', of: ({ case: c }) => shortId(c) },
        { title: 'AWAY (STD)', of: ({ distance }) => figure(distance, 2), align: 'right' },
        { title: 'IT WAS', of: ({ case: c }) => c.truth ?? '–' },
        { title: 'NOTE', of: ({ case: c }) => c.note || '–' },
      ],
      'None yet: each alert that is answered becomes one.',
    );
    if (status !== 'closed')
      say(out, `\nThen say what it was: millwright alerts true|false|repaired ${shortId(alert)}`);
  });
};
