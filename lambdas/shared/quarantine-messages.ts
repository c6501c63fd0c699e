import { gunzipSync, gzipSync } from 'node:zlib';
import { parseAs } from '#core/contracts/errors.ts';
import { lakeKeys } from '#core/contracts/lake.ts';
import { QuarantinedMessage } from '#core/contracts/quarantine.ts';
import { siteOfTopic } from '#core/lake/check-message.ts';
import { type LandingDeps, landOnce } from './landing.ts';
import type { LedgerCommandInput } from './ledger-client.ts';
import { sha256 } from './object-store.ts';
import { asideCommand, UNKNOWN_SITE } from './put-aside.ts';

const linesOf = (messages: readonly QuarantinedMessage[]): Uint8Array =>
  gzipSync(messages.map((m) => `${JSON.stringify(m)}\n`).join(''));

/** Messages of a quarantine object. @throws {Error} when it is not one. */
export const readQuarantinedMessages = (bytes: Uint8Array, key: string): QuarantinedMessage[] =>
  gunzipSync(bytes)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line, i) => parseAs(QuarantinedMessage, JSON.parse(line), `line ${i + 1} of ${key}`));

/**
 * Puts messages aside, each once however often it is sent: their bytes name them. What was put aside is recorded and
 * announced, also when it was put aside before: the record may be missing.
 * @returns commands for the ledger, one an object.
 */
export const quarantineMessages = async (
  deps: LandingDeps,
  messages: readonly QuarantinedMessage[],
  actor: string,
): Promise<{ readonly commands: readonly LedgerCommandInput[]; readonly later: ReadonlySet<QuarantinedMessage> }> => {
  const later = new Set<QuarantinedMessage>();
  const commands: LedgerCommandInput[] = [];
  for (const [site, group] of Map.groupBy(messages, (m) => siteOfTopic(m.topic) ?? UNKNOWN_SITE)) {
    const fates = await landOnce(
      deps,
      group.map((what) => {
        const digest = sha256(Buffer.from(`${what.topic ?? ''}\n${what.bytes}`)).slice('sha256:'.length);
        // Parts of the digest stand first, so that the claims spread over the table.
        return { id: `quarantine-${digest.slice(0, 3)}/${digest}`, content: digest, what };
      }),
      {
        keyOf: (batch, date) => lakeKeys.quarantinedMessages({ site, date, batch }),
        bytesOf: linesOf,
        contentType: 'application/gzip',
      },
    );
    for (const [i, { is }] of fates.entries()) if (is === 'later') later.add(group[i] as QuarantinedMessage);
    const settled = group.flatMap((message, i) => {
      const fate = fates[i];
      return fate === undefined || fate.is === 'later' ? [] : [{ message, key: fate.key }];
    });
    for (const [key, of] of Map.groupBy(settled, (s) => s.key)) {
      const { reason } = (of[0] as (typeof of)[number]).message;
      commands.push(
        asideCommand({
          aside: { key, site, records: of.length, reason },
          content: [],
          actor,
          says: 'messages could not land',
        }),
      );
    }
  }
  return { commands, later };
};
