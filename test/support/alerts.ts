import type { DecisionRecord } from '../../core/contracts/decision.ts';
import type { AlertRecord } from '../../core/contracts/judgement.ts';

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
export const LINE = 'predictive-maintenance/plant-a';
export const AT = '2026-01-01T00:00:00.000Z';

/** A decision with the verdict fail, unless told otherwise. */
export const aDecision = (sequence: number, more: Partial<DecisionRecord> = {}): DecisionRecord => ({
  schema: 'decision/1',
  id: `plant-a/edge-1/boot-1/${sequence}`,
  site: 'plant-a',
  device: 'edge-1',
  boot: 'boot-1',
  sequence,
  modelLine: LINE,
  asset: 'spindle-101',
  run: 'live-01',
  index: 40 + sequence,
  sourceTime: '2025-03-01T00:00:00.000Z',
  decidedAt: AT,
  verdict: 'fail',
  value: 6.25,
  reason: '6.3 h < 8 h',
  packageDigest: digest('a'),
  variant: 'fp32',
  featureSetDigest: digest('2'),
  inputDigest: digest('8'),
  features: [55, 80],
  latencyMs: 3,
  ...more,
});

/** An open alert, unless told otherwise. */
export const anAlert = (more: Partial<AlertRecord> = {}): AlertRecord => ({
  schema: 'alert/1',
  alertId: `plant-a/${more.asset ?? 'spindle-101'}/${more.run ?? 'live-01'}`,
  site: 'plant-a',
  modelLine: LINE,
  asset: 'spindle-101',
  run: 'live-01',
  index: 41,
  decision: 'plant-a/edge-1/boot-1/1',
  packageDigest: digest('a'),
  value: 6.25,
  says: 'about 6.3 h left (alarm below 8 h)',
  nextAction: 'plan an exchange within the time that is left; open the machine and say what was found',
  features: [55, 80],
  raisedAt: AT,
  sourceTime: '2025-03-01T00:00:00.000Z',
  status: 'open',
  by: null,
  note: '',
  shelvedUntil: null,
  truth: null,
  ...more,
});
