import type { Provenance } from '#core/contracts/observation.ts';
import { observationTopic } from '#core/contracts/observation.ts';
import { qualityTopic } from '#core/contracts/quality.ts';
import { observationMessages } from '#core/frames/observation-messages.ts';
import { qualityMessages } from '#core/quality/messages.ts';
import type { Spool } from '../shared/spool.ts';
import type { HandOn } from './station.ts';

export interface HandOnDeps {
  readonly spool: Pick<Spool, 'transaction' | 'putMessage' | 'setMeta'>;
  readonly stage: string;
  readonly site: string;
  readonly device: string;
  readonly boot: string;
  readonly provenance: Provenance;
  /** Whether single values go to the lake too. */
  readonly sendsObservations: boolean;
  readonly clock: () => number;
}

/** Keeps the state of machines, and puts what was found into the spool, from where the uplink publishes it. */
export const makeKeeper = (deps: HandOnDeps) => {
  const { spool, stage, site, device, boot, provenance } = deps;
  let last = 0;
  const sequence = (): number => ++last;
  /** @throws {Error} when the disk does not take it: then nothing is kept. */
  return (name: string, state: string, { findings, observations }: HandOn): void => {
    const now = deps.clock();
    const found = qualityMessages({ site, device, boot, at: new Date(now).toISOString() }, findings, sequence);
    const seen = deps.sendsObservations
      ? observationMessages({ site, device, boot, provenance }, observations, sequence)
      : [];
    spool.transaction(() => {
      spool.setMeta(name, state);
      for (const m of found) spool.putMessage(qualityTopic(stage, site, device), JSON.stringify(m), now, null);
      for (const m of seen) spool.putMessage(observationTopic(stage, site, device), JSON.stringify(m), now, null);
    });
  };
};
