import { type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';

/** Which object a message was claimed for, and until when its claimant may still write it (milliseconds since 1970). */
export interface Claim {
  readonly key: string;
  /** SHA-256 of what is claimed, hex: the same name must not stand for two things. */
  readonly content: string;
  readonly leaseUntil: number;
}

/** Who lands what. */
export interface LandingTable {
  /** Claims an id for an object. @returns null when it is claimed now, else the claim that stands. */
  claim(id: string, claim: Claim): Promise<Claim | null>;
  /** Claims an id that `from` stands for. @returns null when it is claimed now, else the claim that stands. */
  takeOver(id: string, from: Claim, to: Claim): Promise<Claim | null>;
}

/**
 * How long a claim is remembered after its last lease, in days: longer than a queue, its dead letters and a device's
 * spool keep a message. One that comes later still would land again.
 */
const REMEMBERED_DAYS = 120;

/** Needs dynamodb:PutItem on the table; `expires` is its time to live. */
export const dynamoLanding = (client: DynamoDBDocumentClient, table: string): LandingTable => {
  const put = async (
    id: string,
    { key, content, leaseUntil }: Claim,
    condition: Omit<ConstructorParameters<typeof PutCommand>[0], 'TableName' | 'Item'>,
  ): Promise<Claim | null> => {
    const cut = id.lastIndexOf('/');
    try {
      await client.send(
        new PutCommand({
          TableName: table,
          Item: {
            pk: id.slice(0, cut),
            sk: id.slice(cut + 1),
            key,
            content,
            leaseUntil,
            expires: Math.ceil(leaseUntil / 1000) + REMEMBERED_DAYS * 86_400,
          },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          ...condition,
        }),
      );
      return null;
    } catch (error) {
      const { name, Item } = error as Error & {
        readonly Item?: Readonly<Record<'key' | 'content' | 'leaseUntil', Attribute>>;
      };
      // Without the item nobody can say who holds the claim: it is tried again.
      if (name !== 'ConditionalCheckFailedException' || Item === undefined) throw error;
      return { key: Item.key.S ?? '', content: Item.content.S ?? '', leaseUntil: Number(Item.leaseUntil.N) };
    }
  };
  return {
    claim: (id, claim) => put(id, claim, { ConditionExpression: 'attribute_not_exists(pk)' }),
    takeOver: (id, from, to) =>
      put(id, to, {
        ConditionExpression: '#key = :key',
        ExpressionAttributeNames: { '#key': 'key' },
        ExpressionAttributeValues: { ':key': from.key },
      }),
  };
};

/** The document client leaves the item of an exception as DynamoDB sends it. */
interface Attribute {
  readonly S?: string;
  readonly N?: string;
}
