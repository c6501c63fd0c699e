import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { EVENTS } from '#core/contracts/events.ts';
import { onceEach } from '#core/policy/once-each.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { type BatchLog, batchFailures } from '../shared/batch.ts';
import { judgeModelLine } from '../shared/judge-line.ts';
import type { JudgementTable } from '../shared/judgement-table.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { useCaseOfLine } from '../shared/retrain-run.ts';
import { untilUndisturbed } from '../shared/undisturbed.ts';
import { decisionTable } from './decision-table.ts';
import { ACTOR, type JoinDeps, joinAsset, settleUnit, type Unsettled } from './join-asset.ts';
import { rememberDecisions, rememberEvent } from './remember.ts';
import { rememberRelease, rememberRetrain } from './remember-retrain.ts';

export interface Deps {
  readonly lake: ObjectStore;
  readonly registry: RegistryReader;
  readonly ledger: Ledger;
  readonly judgement: JudgementTable;
  readonly log: BatchLog;
}

const message = <T extends keyof typeof EVENTS>(type: T) =>
  z.object({ 'detail-type': z.literal(type), detail: EVENTS[type] });
const Message = z.discriminatedUnion('detail-type', [
  message('OutcomeKnown'),
  message('MachineChanged'),
  message('DecisionsRecorded'),
  message('RetrainFinished'),
  message('ReleaseFinished'),
]);

/** What a message concerns: machines whose units are joined anew, lines that are judged anew. */
interface Concerns {
  readonly assets: readonly string[];
  readonly lines: readonly string[];
}

/**
 * Joins what turned out to be true to what the edge had decided, and judges the model lines whose evidence changed.
 * First every message of the batch is kept, then each machine's units are joined once, then each line is judged once.
 * Messages may come in any order, late and again: what is kept is the same, and nothing counts twice.
 */
export const makeHandler = (deps: Deps) => {
  const remember = async (body: unknown): Promise<Concerns> => {
    const event = parseAs(Message, body, 'message for the outcome joiner');
    const at = (site: string, assets: readonly string[]) => assets.map((asset) => `${site}/${asset}`);
    switch (event['detail-type']) {
      case 'OutcomeKnown':
        return { assets: at(event.detail.site, await rememberEvent(deps.judgement, event.detail)), lines: [] };
      case 'MachineChanged':
        await rememberEvent(deps.judgement, event.detail);
        return { assets: [], lines: [] };
      case 'DecisionsRecorded':
        return { assets: at(event.detail.site, await rememberDecisions(deps.judgement, event.detail)), lines: [] };
      case 'RetrainFinished':
        return { assets: [], lines: await rememberRetrain(deps, event.detail) };
      case 'ReleaseFinished':
        return { assets: [], lines: await rememberRelease(deps, event.detail) };
    }
  };

  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const join: JoinDeps = {
      ...deps,
      decisions: decisionTable(deps),
      capOf: onceEach(async (modelLine) => (await useCaseOfLine(deps.registry, modelLine)).label.cap),
    };
    const concerns = new Map<string, Concerns>();
    const failures = batchFailures(deps.log);
    const fail = (messageIds: Iterable<string>, error: unknown): void => {
      for (const messageId of messageIds) failures.add(messageId, error);
    };
    const about = (what: keyof Concerns, name: string): string[] =>
      [...concerns].filter(([, c]) => c[what].includes(name)).map(([messageId]) => messageId);

    // One after the other: messages of one batch are mostly about the same few units and lines, and would fight for them.
    for (const { messageId, body } of event.Records)
      try {
        concerns.set(messageId, await remember(JSON.parse(body)));
      } catch (error) {
        failures.add(messageId, error);
      }
    const unsettled: (Unsettled & { readonly asset: string })[] = [];
    for (const place of new Set([...concerns.values()].flatMap((c) => c.assets)))
      try {
        const [site, asset] = place.split('/') as [string, string];
        const units = await untilUndisturbed(`units of ${place}`, () => joinAsset(join, site, asset));
        unsettled.push(...units.map((u) => ({ ...u, asset: place })));
      } catch (error) {
        fail(about('assets', place), error);
      }
    const lines = new Set([...unsettled.flatMap((u) => u.lines), ...[...concerns.values()].flatMap((c) => c.lines)]);
    const notJudged = new Set<string>();
    for (const line of lines)
      try {
        await judgeModelLine(deps, line, ACTOR);
      } catch (error) {
        notJudged.add(line);
        fail(
          [
            ...about('lines', line),
            ...unsettled.filter((u) => u.lines.includes(line)).flatMap((u) => about('assets', u.asset)),
          ],
          error,
        );
      }
    for (const unit of unsettled)
      if (!unit.lines.some((line) => notJudged.has(line))) await settleUnit(deps.judgement, unit);
    return failures.answer();
  };
};
