import { statusAt } from '#core/alerts/change.ts';
import { LineJudgement } from '#core/contracts/judgement.ts';
import type { ModelLineRecord } from '#core/contracts/retrain.ts';
import { deviceReports, modelLines } from '../find.ts';
import { readAlerts } from '../find-alert.ts';
import { ago, answer, figure, type Output, paint, say, short, table } from '../output.ts';
import type { World } from '../world.ts';

const COUNTED = ['raw-object', 'plant-event', 'snapshot', 'package', 'release', 'decision-object'] as const;
const MANY = 2000;

/** The stage at a glance: model lines and their champions, devices, what the registry holds, what runs now. */
export const status = async (world: World, out: Output): Promise<void> => {
  const [lines, reports, retrains, alerts, ...counts] = await Promise.all([
    modelLines(world),
    deviceReports(world),
    world.registry.list('retrain', { limit: 50 }),
    readAlerts(world),
    ...COUNTED.map((c) => world.registry.list(c, { limit: MANY })),
  ]);
  const held = Object.fromEntries(COUNTED.map((c, i) => [c, counts[i]?.length ?? 0]));
  const running = await Promise.all(
    retrains
      .filter((r) => r.body['status'] === 'running')
      .map(async (r) => ({
        id: r.id,
        step: (await world.execution(String(r.body['execution'])))?.step ?? r.body['step'],
      })),
  );
  const judged = new Map<string, LineJudgement>();
  for (const { modelLine } of lines) {
    const found = LineJudgement.safeParse((await world.registry.latest('judgement', `line/${modelLine}`))?.body);
    if (found.success) judged.set(modelLine, found.data);
  }
  const now = world.now();
  /** What was said of a champion before says nothing of this one; a bound of 1 is no bound, so that all would be healthy. */
  const judgedAs = ({ modelLine, champion }: ModelLineRecord): string => {
    const of = judged.get(modelLine);
    return of === undefined || of.packageDigest !== champion?.packageDigest
      ? '–'
      : of.expectedLoss >= 1
        ? 'not judged'
        : of.state;
  };
  const waiting = alerts.filter(({ alert }) => ['open', 'acknowledged'].includes(statusAt(alert, now)));
  const document = {
    stage: world.config.stage,
    site: world.site,
    local: world.plant,
    modelLines: lines.map((l) => ({ ...l, judgement: judged.get(l.modelLine) ?? null })),
    devices: reports,
    alerts: waiting.map(({ alert }) => alert.alertId),
    registry: held,
    running,
  };
  answer(out, document, () => {
    const where =
      world.plant === null ? 'AWS' : `local plant, up since ${ago(world.plant.startedAt, now).replace(' ago', '')}`;
    say(out, `${paint(out, 'bold', 'Millwright')}  stage ${world.config.stage}, site ${world.site} (${where})`);
    say(out);
    table(
      out,
      lines,
      [
        { title: 'MODEL LINE', of: (l) => l.modelLine },
        { title: 'CHAMPION', of: (l) => short(l.champion?.packageDigest) },
        { title: 'RELEASE', of: (l) => (l.champion === null ? '–' : String(l.champion.releaseNumber)), align: 'right' },
        {
          title: 'JUDGED',
          of: judgedAs,
          style: (l) => (judgedAs(l) === 'HEALTHY' ? 'green' : 'yellow'),
        },
        {
          title: 'LAST RETRAIN',
          of: (l) => {
            const last = retrains.find((r) => r.body['modelLine'] === l.modelLine);
            return last === undefined ? 'never' : `${String(last.body['status'])}, ${ago(last.at, now)}`;
          },
        },
      ],
      'No model line yet: run "millwright publish".',
    );
    for (const r of running) say(out, `  retrain ${r.id} runs: ${String(r.step)}`);
    say(out);
    table(
      out,
      reports,
      [
        { title: 'DEVICE', of: (d) => d.device },
        { title: 'SERVES', of: (d) => short(d.serving?.packageDigest) },
        { title: 'AS', of: (d) => d.serving?.variant ?? '–' },
        { title: 'DECIDED', of: (d) => String(d.sinceAdoption.decided), align: 'right' },
        { title: 'FALLBACK', of: (d) => String(d.sinceAdoption.fallback), align: 'right' },
        { title: 'P99 MS', of: (d) => figure(d.sinceAdoption.latencyP99Ms, 1), align: 'right' },
        { title: 'REPORTED', of: (d) => ago(d.at, now) },
      ],
      'No device has reported yet.',
    );
    say(out);
    say(
      out,
      waiting.length === 0
        ? 'No alert waits.'
        : `${waiting.length} alert${waiting.length === 1 ? ' waits' : 's wait'}: millwright alerts`,
    );
    say(
      out,
      `Registry: ${COUNTED.map((c) => `${held[c]}${held[c] === MANY ? '+' : ''} ${c}${held[c] === 1 ? '' : 's'}`).join(', ')}`,
    );
  });
};
