import { compareText } from '../text/compare.ts';
import type { LineFacts } from './line-facts.ts';

const inOrder = <T>(all: readonly T[], key: (t: T) => string): readonly T[] =>
  all
    .map((t) => ({ t, key: key(t) }))
    .sort((a, b) => compareText(a.key, b.key))
    .map(({ t }) => t);

/** Facts in one order, so that sums over them have the same bits in whatever order they were read. */
export const settledFacts = (facts: LineFacts): LineFacts => ({
  ...facts,
  outcomes: inOrder(facts.outcomes, (o) => `${o.asset}/${o.run}`),
  features: inOrder(facts.features, (f) => f.device),
  served: inOrder(facts.served, (s) => s.unit),
  retrains: inOrder(facts.retrains, (r) => r.requestId),
  labels: inOrder(facts.labels, (l) => l.requestId),
  ...(facts.changes === undefined ? {} : { changes: inOrder(facts.changes, (c) => c.eventId) }),
});
