import type { WindowEvidence } from '#core/contracts/drift.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import type { FeatureEvidence } from '#core/drift/decision/feature-votes.ts';
import { adviceOf } from '#core/drift/device/advice.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import type { LedgerCommandInput } from '../shared/ledger-client.ts';
import { clip } from '../shared/retrain-run.ts';

/** Most assets that a message names. */
const NAMED = 20;
const DRIFTED: readonly WindowEvidence['kind'][] = ['serious'];
const QUIET: readonly WindowEvidence['kind'][] = ['steady', 'recurring', 'warm-up', 'muted'];
/** These say nothing, also not that what was said before is over. */
const SILENT: readonly WindowEvidence['kind'][] = ['warm-up', 'muted'];

/** What is announced: a device whose data is bad, or that asks something, is looked at, and is no drift. */
export const announcedState = ({ kind }: Pick<WindowEvidence, 'kind'>): 'steady' | 'watch' | 'drifted' =>
  DRIFTED.includes(kind) ? 'drifted' : QUIET.includes(kind) ? 'steady' : 'watch';

const MOST_FAR_OFF = 3;

const stateIn = (said: string | null): string | undefined => said?.split('|', 1)[0];

/** Windows in a row that were far off; while the device stays what it is, that there are fewer again is no news. */
const farOff = ({ kind, farOffWindows }: WindowEvidence, said: string | null): number => {
  const fields = said?.split('|') ?? [];
  const before = fields[1] === kind ? Number(fields.at(-2)) : 0;
  return Math.max(before, Math.min(farOffWindows, MOST_FAR_OFF));
};

/**
 * What a change of is told to the ledger and makes the line be judged again; people are told of the first of it.
 * @param before what was said of the window before; null: nothing.
 */
export const saysOf = (e: WindowEvidence, before: string | null): string =>
  [
    (SILENT.includes(e.kind) ? stateIn(before) : undefined) ?? announcedState(e),
    e.kind,
    e.kind === 'data-quality' ? e.says[0] : '',
    e.kind === 'new-context' ? e.context : '',
    e.kind === 'ageing' ? (e.ageing?.feature ?? '') : '',
    e.calibrated,
    farOff(e, before),
    e.reached ?? e.eValue >= e.threshold,
  ].join('|');
/** Id of the registry record of what was said of a device. */
export const driftRecordId = ({ modelLine, site, device }: WindowEvidence): string =>
  `drift/${modelLine}/${site}/${device}`;

/** The record of a judgement that says something else than the one before. @param object key of its evidence in the lake. */
export const driftCommand = (
  e: WindowEvidence,
  evidence: FeatureEvidence,
  object: string,
  before: string | null,
): LedgerCommandInput => {
  const { modelLine, packageDigest, device, site } = e;
  const id = driftRecordId(e);
  const { what, sure, next } = adviceOf(e);
  const state = announcedState(e);
  const detail = {
    modelLine,
    site,
    packageDigest,
    worstFeature: evidence.feature,
    psi: evidence.psi,
    state,
    device,
    kind: e.kind,
    what: clip(what, 1000),
    sure,
    since: e.since,
    assets: e.assets.slice(0, NAMED),
    next,
    evidence: e.hash,
  };
  return {
    schema: 'ledger-command/1',
    commandId: commandIdOf(id, e.hash),
    site,
    actor: 'lambda:drift-evaluator',
    reason: clip(`inputs of ${device}: ${e.kind}. ${what}`),
    record: {
      class: 'judgement',
      id,
      body: {
        schema: 'drift-judgement/1',
        ...detail,
        ...evidence,
        decisions: e.rows,
        state,
        features: e.features,
        sequence: e.sequence,
        object,
      },
    },
    edges: [{ from: nodeRef('judgement', id), rel: 'about', to: nodeRef('package', packageDigest) }],
    ...(stateIn(saysOf(e, before)) === stateIn(before) ? {} : { announce: { type: 'DriftJudged', detail } }),
  };
};
