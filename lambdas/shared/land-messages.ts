import type { LakeRow, LandedTableName } from '#core/contracts/lake-tables.ts';
import type { GoodMessage } from '#core/lake/check-message.ts';
import { type Fate, type LandingDeps, landRows } from './landing.ts';

/** What became of a good message; `failed` leaves open whether it landed, and sending it again settles that. */
export type MessageFate = Fate['is'] | { readonly failed: unknown };

/** Lands good messages, one object a table and site; where one cannot be written the others are. In the order given. */
export const landMessages = async (
  deps: LandingDeps,
  messages: readonly GoodMessage[],
): Promise<readonly MessageFate[]> => {
  const fates = new Map<GoodMessage, MessageFate>();
  const groups = Map.groupBy(messages, (m) => `${m.table}/${m.site}`);
  await Promise.all(
    [...groups.values()].map(async (group) => {
      const { table, site } = group[0] as GoodMessage;
      const things = group.map(({ id, content, rows }) => ({
        id,
        content,
        what: rows as readonly LakeRow<LandedTableName>[],
      }));
      try {
        const landed = await landRows(deps, { table, site }, things);
        for (const [i, message] of group.entries()) fates.set(message, (landed[i] as Fate).is);
      } catch (error) {
        for (const message of group) fates.set(message, { failed: error });
      }
    }),
  );
  return messages.map((m) => fates.get(m) as MessageFate);
};
