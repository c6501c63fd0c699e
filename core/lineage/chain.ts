import type { AuditEvent } from '../contracts/ledger.ts';
import { digestOf } from './digest.ts';

export interface ChainHead {
  readonly sequence: number;
  readonly hash: string;
}

/** Hash of a link: the digest of the canonical JSON of all its other fields, the previous hash included. */
export const linkHash = (event: Omit<AuditEvent, 'hash'>): string => digestOf(event);

/** The next link of a chain after `head` (null: the first). */
export const appendLink = (
  head: ChainHead | null,
  event: Omit<AuditEvent, 'schema' | 'sequence' | 'previous' | 'hash'>,
): AuditEvent => {
  const link = {
    schema: 'audit-event/1' as const,
    ...event,
    sequence: (head?.sequence ?? 0) + 1,
    previous: head?.hash ?? null,
  };
  return { ...link, hash: linkHash(link) };
};

export type ChainVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly sequence: number; readonly why: string };

/**
 * Checks links of one chain in order: sequences without a gap, each naming the hash before it, each hash its own.
 * @param after head before the first link given (null: the links begin the chain).
 */
export const verifyChain = (events: readonly AuditEvent[], after: ChainHead | null = null): ChainVerdict => {
  let head = after;
  for (const event of events) {
    const sequence = (head?.sequence ?? 0) + 1;
    if (event.sequence !== sequence)
      return { ok: false, sequence, why: `link ${sequence} is missing; found ${event.sequence}` };
    if (event.previous !== (head?.hash ?? null))
      return { ok: false, sequence, why: `link ${sequence} does not name the hash of the link before it` };
    const { hash, ...rest } = event;
    if (linkHash(rest) !== hash)
      return { ok: false, sequence, why: `link ${sequence} was changed after it was written` };
    head = { sequence, hash };
  }
  return { ok: true };
};
