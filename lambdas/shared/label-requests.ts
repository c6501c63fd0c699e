import { judgementKeys } from '#core/contracts/judgement.ts';
import type { LabelRequest } from '#core/contracts/label-request.ts';
import { type LedgerCommand, nodeRef } from '#core/contracts/ledger.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { few } from '#core/text/few.ts';
import type { Write } from './judgement-table.ts';

/** Units that one message names. */
const NAMED = 5;

const saysOf = ({ modelLine, count, units, reason }: LabelRequest): string =>
  `${modelLine}: ${reason}. Wanted is what was found of ${few(units, NAMED)}; ${count} outcomes decide`;

/** A request is kept once: whoever makes the same at the same time is overtaken, and judges again. */
export const keepRequest = (request: LabelRequest): Write => ({
  item: { ...judgementKeys.labels(request.modelLine, request.packageDigest, request.ordinal), request },
  readAt: 0,
});

/** Puts a request into the registry and tells the people of the plant. */
export const commandOfRequest = (request: LabelRequest, actor: string): LedgerCommand => {
  const { requestId, modelLine, site, packageDigest, ordinal, count, reason } = request;
  const id = `labels/${modelLine}/${packageDigest.slice('sha256:'.length)}/${ordinal}`;
  return {
    schema: 'ledger-command/1',
    commandId: commandIdOf(id),
    site,
    actor,
    reason,
    record: { class: 'judgement', id, body: { ...request } },
    edges: [{ from: nodeRef('judgement', id), rel: 'about', to: nodeRef('package', packageDigest) }],
    announce: { type: 'LabelsRequested', detail: { modelLine, site, requestId, count, says: saysOf(request) } },
  };
};
