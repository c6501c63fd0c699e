import type { AuditEvent } from '../../../core/contracts/ledger.ts';
import { appendLink, verifyChain } from '../../../core/lineage/chain.ts';

const link = (head: AuditEvent | null, n: number): AuditEvent =>
  appendLink(head, {
    chain: 'plant-a/package',
    at: '2026-01-01T00:00:00.000Z',
    actor: 'someone',
    reason: 'because',
    commandId: `c${n}`,
    record: { class: 'package', id: 'p', version: n, bodyDigest: `sha256:${'0'.repeat(64)}` },
    edges: [],
  });
const links = (): [AuditEvent, AuditEvent, AuditEvent] => {
  const a = link(null, 1);
  const b = link(a, 2);
  return [a, b, link(b, 3)];
};

describe('a hash chain', () => {
  it('that nobody touched verifies', () => {
    expect(verifyChain(links())).toEqual({ ok: true });
  });
  it('verifies from a head that is known', () => {
    const [a, b, c] = links();
    expect(verifyChain([b, c], a)).toEqual({ ok: true });
  });
  it('shows a link that was changed', () => {
    const [a, b, c] = links();
    expect(verifyChain([a, { ...b, actor: 'nobody' }, c])).toMatchObject({ ok: false, sequence: 2 });
  });
  it('shows a link that was taken out', () => {
    const [a, , c] = links();
    expect(verifyChain([a, c])).toMatchObject({ ok: false, why: 'link 2 is missing; found 3' });
  });
  it('shows a link that was put in the place of another', () => {
    const [a, b] = links();
    const other = link(null, 9);
    expect(verifyChain([a, { ...b, previous: other.hash }])).toMatchObject({ ok: false, sequence: 2 });
  });
});
