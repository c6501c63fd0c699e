import { knownUnits } from '#core/outcomes/coverage.ts';
import { answeredOf } from '#core/outcomes/label-request.ts';
import type { LineFacts } from '#core/outcomes/line-evidence.ts';
import { modelLines, oneModelLine } from '../find.ts';
import { answer, facts, figure, many, type Output, paint, say, sentence, table } from '../output.ts';
import type { World } from '../world.ts';
import { judgedLine } from './lines.ts';

/** A request as the command shows it. */
interface Asked {
  readonly request: LineFacts['labels'][number];
  /** Of its units, how many have an outcome. */
  readonly known: number;
}

const askedOf = (of: LineFacts): readonly Asked[] => {
  const known = new Set(knownUnits(of.outcomes).map((k) => k.unit));
  return [...of.labels]
    .sort((a, b) => b.ordinal - a.ordinal)
    .map((request) => ({ request, known: answeredOf(request, known) }));
};
const isAnswered = ({ request, known }: Asked): boolean => known >= Math.min(request.count, request.units.length);
const knownText = ({ request, known }: Asked): string => `${known} of ${request.units.length}`;
const dayOf = (instant: string): string => instant.slice(0, 10);

/** Which outcomes are wanted, of every model line. */
export const labels = async (world: World, out: Output): Promise<void> => {
  const lines = await Promise.all((await modelLines(world)).map((line) => judgedLine(world, line)));
  const all = lines.flatMap(({ of }) => (of === null ? [] : askedOf(of.facts)));
  answer(
    out,
    all.map(({ request, known }) => ({ ...request, known })),
    () =>
      table<Asked>(
        out,
        all,
        [
          { title: 'MODEL LINE', of: ({ request }) => request.modelLine },
          { title: 'ASKED', of: ({ request }) => dayOf(request.until) },
          { title: 'KNOWN', of: knownText, align: 'right', style: (a) => (isAnswered(a) ? 'green' : 'yellow') },
          { title: 'DECIDE', of: ({ request }) => String(request.count), align: 'right' },
          { title: 'WHY', of: ({ request }) => request.reason },
        ],
        'No outcome is wanted.',
      ),
  );
};

/** The newest request of one model line: which units, what is known of them, how to tell. */
export const explainLabels = async (world: World, out: Output, name: string | undefined): Promise<void> => {
  const { line, of } = await judgedLine(world, await oneModelLine(world, name));
  const all = of === null ? [] : askedOf(of.facts);
  const known = new Map(of?.facts.outcomes.map((o) => [`${o.asset}/${o.run}`, o]));
  const stopped = new Map(of?.facts.served.map((s) => [s.unit, s.lastAt]));
  const [newest] = all;
  const document = {
    modelLine: line.modelLine,
    requests: all.map(({ request, known: n }) => ({ ...request, known: n })),
  };
  answer(out, document, () => {
    if (newest === undefined) {
      say(out, `${paint(out, 'bold', line.modelLine)}: no outcome is wanted.`);
      return;
    }
    const { request } = newest;
    say(out, `${paint(out, isAnswered(newest) ? 'green' : 'yellow', knownText(newest))}  ${line.modelLine}`);
    sentence(out, request.reason, '  ');
    say(out);
    facts(out, [
      ['asked', `${dayOf(request.until)}, by what was known then`],
      ['decide', many(request.count, 'outcome')],
      [
        'drawn',
        `${many(request.units.length, 'unit')}: each had the chance ${figure(request.share, 3)}, ${request.candidates} stopped since the last`,
      ],
      ...(all.length === 1 ? [] : [['before', many(all.length - 1, 'request')] as const]),
    ]);
    say(out);
    table(
      out,
      request.units,
      [
        { title: 'UNIT', of: (u) => u },
        { title: 'STOPPED', of: (u) => stopped.get(u)?.slice(0, 16).replace('T', ' ') ?? '–' },
        {
          title: 'OUTCOME',
          of: (u) => known.get(u)?.end ?? 'wanted',
          style: (u) => (known.has(u) ? 'green' : 'yellow'),
        },
        { title: 'LOSS', of: (u) => figure(known.get(u)?.loss, 3), align: 'right' },
      ],
      '',
    );
    say(out, '\nSay what was found of them: millwright events add FILE (inspection, finding, repair or failure).');
  });
};
