import type { ObjectFiles } from '../../lambdas/shared/object-files.ts';

/** What is done with objects in memory beside reading and writing them. */
export const memoryFiles = (
  objects: Map<string, Uint8Array>,
  at: () => string = () => '2026-01-02T03:04:05.000Z',
): ObjectFiles => ({
  async entries(prefix) {
    return [...objects]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, bytes]) => ({ key, bytes: bytes.byteLength, at: at() }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  },
  async putNew(key, bytes) {
    if (objects.has(key)) return false;
    objects.set(key, bytes);
    return true;
  },
  async remove(keys) {
    for (const key of keys) objects.delete(key);
  },
});
