import type { Item, ItemKey, JudgementTable } from '../../lambdas/shared/judgement-table.ts';

const nameOf = ({ pk, sk }: ItemKey): string => `${pk}|${sk}`;
const versionOf = (item: Item | undefined): number => (item?.['version'] as number | undefined) ?? 0;

/** The judgement table in memory, as DynamoDB answers: items come back as copies, conditions hold. */
export const memoryJudgement = () => {
  const items = new Map<string, Item>();
  const copy = (item: Item): Item => structuredClone(item);
  const list = async (pk: string, prefix: string): Promise<Item[]> =>
    [...items.values()]
      .filter((i) => i.pk === pk && i.sk.startsWith(prefix))
      .sort((a, b) => (a.sk < b.sk ? -1 : 1))
      .map(copy);
  const table: JudgementTable & { readonly items: Map<string, Item> } = {
    items,
    async get(key) {
      const found = items.get(nameOf(key));
      return found === undefined ? null : copy(found);
    },
    list,
    next: async (pk, sk) => (await list(pk, '')).find((i) => i.sk >= sk) ?? null,
    async put(item) {
      items.set(nameOf(item), copy(item));
    },
    async putAll(writes) {
      if (writes.some(({ item, readAt }) => readAt !== null && versionOf(items.get(nameOf(item))) !== readAt))
        return false;
      for (const { item, readAt } of writes)
        items.set(nameOf(item), copy(readAt === null ? item : { ...item, version: readAt + 1 }));
      return true;
    },
  };
  return table;
};
