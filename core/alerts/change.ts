import type { AlertRecord } from '../contracts/judgement.ts';
import type { Instant } from '../contracts/primitives.ts';

export type AlertStatus = AlertRecord['status'];
export type Truth = NonNullable<AlertRecord['truth']>;

/** What a person does to an alert. */
export type AlertChange =
  | { readonly kind: 'acknowledge' }
  | { readonly kind: 'shelve'; readonly until: Instant }
  | { readonly kind: 'close'; readonly truth: Truth };

/** A change that the state of the alert forbids; the message says which state, and who made it so. */
export class AlertRefusal extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AlertRefusal';
  }
}

/**
 * Status at an instant: a shelved alert is open again by itself when its time is over, and not acknowledged, so that
 * someone looks at it anew (ANSI/ISA-18.2-2016, 5.6: shelving is limited in time).
 */
export const statusAt = (alert: Pick<AlertRecord, 'status' | 'shelvedUntil'>, now: Instant): AlertStatus =>
  alert.status === 'shelved' && (alert.shelvedUntil ?? '') <= now ? 'open' : alert.status;

/**
 * The alert after a change, at an instant: open → acknowledged or shelved → closed. A closed one stays as it is; so does
 * what it once said, for the registry keeps each version.
 * @param note what the person adds; empty keeps the note there is.
 * @throws {AlertRefusal} when it is closed, or is acknowledged again.
 */
export const changeAlert = (
  alert: AlertRecord,
  change: AlertChange,
  { by, note, now }: { readonly by: string; readonly note: string; readonly now: Instant },
): AlertRecord => {
  const status = statusAt(alert, now);
  if (status === 'closed')
    throw new AlertRefusal(`alert ${alert.alertId} is closed: ${alert.by ?? 'someone'} said "${alert.truth}"`);
  if (change.kind === 'acknowledge' && status === 'acknowledged')
    throw new AlertRefusal(`alert ${alert.alertId} is acknowledged already, by ${alert.by ?? 'someone'}`);
  const next = { ...alert, by, note: note === '' ? alert.note : note, shelvedUntil: null };
  if (change.kind === 'acknowledge') return { ...next, status: 'acknowledged' };
  if (change.kind === 'shelve') return { ...next, status: 'shelved', shelvedUntil: change.until };
  return { ...next, status: 'closed', truth: change.truth };
};
