import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { HEALTH_METRICS } from '#core/contracts/health.ts';
import { judgementKeys } from '#core/contracts/judgement.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { type Deciding, type Unwatched, unwatchedDevices, type Watched } from '#core/health/unwatched.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import { type JudgeDeps, judgeModelLine } from '../shared/judge-line.ts';
import { readModelLine } from '../shared/retrain-run.ts';

export interface Deps extends JudgeDeps {
  readonly putMetric: (name: string, value: number) => Promise<void>;
}

const Item = z.strictObject({ modelLine: z.string().min(1), part: z.int().nonnegative() });
const ACTOR = 'lambda:judge-line';

const Kept = z.looseObject({ state: z.enum(['watched', 'unwatched']) });

const sinceText = ({ since, decisions }: Unwatched): string =>
  since === null
    ? `it decided ${decisions} times and no window of its inputs ever came`
    : `it decided ${decisions} times since ${since}, and no window of its inputs came`;

/**
 * One model line of the scheduled judgement: time alone may change what is said of it. Then the monitor is monitored: a
 * device that decides while nothing is heard of its inputs is told to the owners once, and again when it was heard
 * between. @throws {Error} when the line cannot be judged; the others are all the same.
 */
export const makeHandler = (deps: Deps) => {
  const tellOf = async (modelLine: string, packageDigest: string, device: Deciding, found: Unwatched | undefined) => {
    const name = `${device.site}/${device.device}`;
    const id = `watch/${modelLine}/${name}`;
    const state = found === undefined ? 'watched' : 'unwatched';
    const before = await deps.registry.latest('judgement', id);
    const said = before === null ? 'watched' : parseAs(Kept, before.body, `judgement ${id}`).state;
    if (state === said) return;
    const version = before?.version ?? 0;
    const reason =
      found === undefined
        ? `the inputs of ${name} are heard of again`
        : `nobody watches the inputs of ${name}: ${sinceText(found)}`;
    await deps.ledger.write([
      {
        schema: 'ledger-command/1',
        commandId: commandIdOf(id, version),
        site: device.site,
        actor: ACTOR,
        reason,
        record: {
          class: 'judgement',
          id,
          body: { schema: 'watch-judgement/1', modelLine, packageDigest, device: device.device, state, ...found },
        },
        edges: [{ from: nodeRef('judgement', id), rel: 'about', to: nodeRef('package', packageDigest) }],
        ...(found === undefined
          ? {}
          : {
              announce: {
                type: 'OwnerMessage',
                detail: { site: device.site, modelLine, about: name, from: ACTOR, text: reason },
              },
            }),
      },
    ]);
  };

  return async (event: unknown): Promise<{ part: number; rows: number }> => {
    const { modelLine, part } = parseAs(Item, event, 'item of judge-line');
    await judgeModelLine(deps, modelLine, ACTOR);
    const line = (await readModelLine(deps.registry, modelLine))?.line;
    if (line === undefined || line.champion === null) return { part, rows: 0 };
    const { packageDigest } = line.champion;
    const [deciding, watched] = await Promise.all([
      deps.judgement.list(judgementKeys.line(modelLine), judgementKeys.decidingPrefix(packageDigest)),
      deps.judgement.list(judgementKeys.devices(modelLine, packageDigest), `${line.site}/`),
    ]);
    const devices = deciding as readonly unknown[] as readonly Deciding[];
    const newest = watched.flatMap((item) => (item['newest'] as Watched | undefined) ?? []);
    const unwatched = unwatchedDevices(devices, newest);
    await inParallel(devices, (d) =>
      tellOf(
        modelLine,
        packageDigest,
        d,
        unwatched.find((u) => u.site === d.site && u.device === d.device),
      ),
    );
    await deps.putMetric(HEALTH_METRICS.unwatched, unwatched.length);
    return { part, rows: unwatched.length };
  };
};
