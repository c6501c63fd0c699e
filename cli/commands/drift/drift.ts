import { WindowKind } from '#core/contracts/drift.ts';
import type { FeatureEvidence } from '#core/drift/decision/feature-votes.ts';
import { modelLines, oneModelLine } from '../../find.ts';
import { answer, figure, type Output, table } from '../../output.ts';
import type { World } from '../../world.ts';
import { KIND_STYLES } from './explain-drift.ts';

interface Row extends FeatureEvidence {
  readonly modelLine: string;
  readonly watched: boolean;
}

/** What is said of the inputs of each device that serves a champion, and whether anybody watches them. */
export const drift = async (world: World, out: Output, name: string | undefined): Promise<void> => {
  const lines = name === undefined ? await modelLines(world) : [await oneModelLine(world, name)];
  const rows: Row[] = [];
  for (const { modelLine, site, champion } of lines) {
    if (champion === null) continue;
    const items = await world.judgement(modelLine);
    const prefix = (kind: string): string => `${kind}#${champion.packageDigest}#`;
    const said = new Map(
      items.filter((i) => i.sk.startsWith(prefix('FEATURES'))).map((i) => [i.sk.split('/').at(-1), i]),
    );
    const deciding = items.filter((i) => i.sk.startsWith(prefix('DECIDING'))).map((i) => i.sk.split('/').at(-1));
    for (const device of [...new Set([...said.keys(), ...deciding])].sort()) {
      const watch = await world.registry.latest('judgement', `watch/${modelLine}/${site}/${device}`);
      const evidence = said.get(device) as unknown as FeatureEvidence | undefined;
      rows.push({
        ...(evidence ?? { at: '', state: 'steady', feature: '–', psi: 0, lower: 0, calibrated: false }),
        device: device as string,
        modelLine,
        watched: watch?.body['state'] !== 'unwatched',
      });
    }
  }
  const kindOf = (r: Row): string =>
    r.watched ? (r.at === '' ? 'no window yet' : (r.kind ?? r.state)) : 'nobody watches';
  answer(out, rows, () =>
    table(
      out,
      rows,
      [
        { title: 'DEVICE', of: (r) => r.device },
        { title: 'MODEL LINE', of: (r) => r.modelLine },
        {
          title: 'INPUTS ARE',
          of: kindOf,
          style: (r) => (r.watched ? (KIND_STYLES[WindowKind.safeParse(kindOf(r)).data ?? 'warm-up'] ?? null) : 'red'),
        },
        { title: 'SINCE', of: (r) => (r.since ?? '–').slice(0, 16).replace('T', ' ') },
        { title: 'WORST', of: (r) => r.feature },
        { title: 'INDEX (AT LEAST)', of: (r) => `${figure(r.psi, 3)} (${figure(r.lower, 3)})`, align: 'right' },
        { title: 'E-VALUE', of: (r) => figure(r.eValue ?? null, 1), align: 'right' },
        { title: 'CONTEXT', of: (r) => r.context ?? '–' },
      ],
      'No device has sent a window of its inputs yet.',
    ),
  );
};
