import { type Band, type Plot, svgOf } from '../../../cli/svg/plot.ts';

const day = (n: number): string => new Date(Date.UTC(2026, 0, 1 + n)).toISOString();
const names = ['HEALTHY', 'DATA_QUALITY_HOLD', 'WATCH', 'CONFIRMED', 'RETRAIN_REQUESTED', 'SUSPECTED_CHANGEOVER'];
const band: Band = {
  title: 'as declared',
  stretches: names.map((name, i) => ({ from: day(i), to: day(i + 1), colour: `#00000${i}`, name })),
  marks: [
    { at: day(3), name: 'called', colour: '#cc0000', points: 'up' },
    { at: day(3), name: 'asked', colour: '#0000cc', points: 'down' },
  ],
};
const plot: Plot = { title: 'a line', says: 'what it was', parts: [band], events: [] };
const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map((m) => m[1] as string);

describe('a picture', () => {
  it('names each colour of its bands once, however many there are', () => {
    const said = texts(svgOf({ ...plot, parts: [band, band] }));
    expect(said.filter((t) => names.includes(t))).toEqual(names);
  });
  it('keeps two marks of one instant apart', () => {
    const heights = [...svgOf(plot).matchAll(/<path d="M[\d.]+ ([\d.]+)L[\d.]+ [\d.]+L[\d.]+ ([\d.]+)Z"/g)].map((m) => [
      Number(m[1]),
      Number(m[2]),
    ]);
    const [up, down] = heights as [number[], number[]];
    expect(Math.max(...up)).toBeLessThan(Math.min(...down));
  });
  it('has all that it draws within its edges', () => {
    const svg = svgOf({ ...plot, parts: [band, { ...band, title: 'other' }] });
    const height = Number(/ height="([\d.]+)" viewBox/.exec(svg)?.[1]);
    const ys = [...svg.matchAll(/ y="([\d.]+)"/g)].map((m) => Number(m[1]));
    expect(Math.max(...ys)).toBeLessThan(height);
  });
  it('says when its axis begins and ends, and what lies between', () => {
    const said = texts(svgOf(plot));
    for (const instant of ['2026-01-01 00:00', '2026-01-04 00:00', '2026-01-07 00:00']) expect(said).toContain(instant);
  });
  it('says below its axis what the instants stand for, where they stand for others', () => {
    expect(texts(svgOf({ ...plot, label: (at) => `as ${at.slice(8, 10)}` }))).toContain('as 04');
  });
  it('cuts what is longer than its width', () => {
    const said = texts(svgOf({ ...plot, says: 'x'.repeat(500) }));
    expect(said.find((t) => t.startsWith('xx'))).toMatch(/^x{139}…$/);
  });
  it('is drawn of one instant, and of none', () => {
    const at = { from: day(0), to: day(0), colour: '#000', name: 'x' };
    for (const stretches of [[at], []]) {
      const svg = svgOf({ ...plot, parts: [{ title: 'x', stretches }] });
      expect(svg).not.toMatch(/NaN|Infinity/);
    }
  });
});
