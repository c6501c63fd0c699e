import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { EVENT_SOURCE } from '#core/contracts/events.ts';

/** Puts events of the catalogue on the platform's bus. @throws {Error} when the bus refused one: nothing is silent. */
export const announceOn =
  (client: EventBridgeClient, busArn: string) =>
  async (events: readonly { readonly type: string; readonly detail: Record<string, unknown> }[]): Promise<void> => {
    for (let i = 0; i < events.length; i += 10) {
      const answer = await client.send(
        new PutEventsCommand({
          Entries: events.slice(i, i + 10).map(({ type, detail }) => ({
            EventBusName: busArn,
            Source: EVENT_SOURCE,
            DetailType: type,
            Detail: JSON.stringify(detail),
          })),
        }),
      );
      const refused = answer.Entries?.find((e) => e.ErrorCode !== undefined);
      if (refused !== undefined)
        throw new Error(`the bus ${busArn} refused an event: ${refused.ErrorCode} ${refused.ErrorMessage ?? ''}`);
    }
  };
