import fc from 'fast-check';
import { type Deciding, unwatchedDevices, type Watched } from '../../../core/health/unwatched.ts';

const deciding = (more: Partial<Deciding> = {}): Deciding => ({
  site: 'plant-a',
  device: 'edge-1',
  boot: 'b1',
  first: 1,
  last: 1000,
  ...more,
});
const watched = (more: Partial<Watched> = {}): Watched => ({
  site: 'plant-a',
  device: 'edge-1',
  boot: 'b1',
  windowEnd: 900,
  rows: 100,
  to: '2026-01-01T00:00:00.000Z',
  ...more,
});

describe('devices that nobody watches', () => {
  it('are none while windows come as usual', () => {
    expect(unwatchedDevices([deciding()], [watched()])).toEqual([]);
    expect(unwatchedDevices([deciding({ last: 1400 })], [watched()])).toEqual([]);
  });
  it('are those that decided more than five of their windows since the newest one came', () => {
    expect(unwatchedDevices([deciding({ last: 1401 })], [watched()])).toEqual([
      { site: 'plant-a', device: 'edge-1', since: '2026-01-01T00:00:00.000Z', decisions: 501 },
    ]);
  });
  it('are counted anew after a start of the device, whose decisions are numbered anew', () => {
    expect(unwatchedDevices([deciding({ boot: 'b2', last: 500 })], [watched()])).toEqual([]);
    expect(unwatchedDevices([deciding({ boot: 'b2', last: 501 })], [watched()])).toMatchObject([{ decisions: 501 }]);
  });
  it('are counted from the first decision by the package, where no window of it ever came', () => {
    expect(unwatchedDevices([deciding({ first: 5001, last: 7000 })], [])).toEqual([]);
    expect(unwatchedDevices([deciding({ first: 5001, last: 7001 })], [])).toMatchObject([
      { since: null, decisions: 2001 },
    ]);
  });
  it('are not mistaken for each other, nor for those of another site', () => {
    const others = [watched({ device: 'edge-2' }), watched({ site: 'plant-b' })];
    expect(unwatchedDevices([deciding({ last: 3000 })], others)).toMatchObject([{ since: null }]);
  });
  it('never are fewer after more decisions', () => {
    fc.assert(
      fc.property(fc.nat(5000), fc.nat(5000), fc.integer({ min: 1, max: 500 }), (windowEnd, more, rows) => {
        const at = (last: number) => unwatchedDevices([deciding({ last })], [watched({ windowEnd, rows })]).length;
        expect(at(windowEnd + more + 1)).toBeGreaterThanOrEqual(at(windowEnd + more));
      }),
    );
  });
});
