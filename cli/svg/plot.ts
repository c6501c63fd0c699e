/** Colours that people tell apart who do not see all of them (Okabe & Ito 2008). */
export const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'] as const;

export interface Point {
  readonly at: string;
  readonly y: number;
  /** Interval around it, drawn as a band. */
  readonly lower?: number;
  readonly upper?: number;
}

/** Curves over time, with limits as dashed lines. */
export interface Curves {
  readonly title: string;
  readonly curves: readonly { readonly name: string; readonly points: readonly Point[] }[];
  readonly limits: readonly { readonly name: string; readonly y: number }[];
  readonly log?: boolean;
}

/** A band over time in stretches of colour, with marks on it. */
export interface Band {
  readonly title: string;
  readonly stretches: readonly {
    readonly from: string;
    readonly to: string;
    readonly colour: string;
    readonly name: string;
  }[];
  readonly marks?: readonly Mark[];
}

/** A triangle below a band: up in the upper row, down in the lower one, so that two of one instant are both seen. */
export interface Mark {
  readonly at: string;
  readonly name: string;
  readonly colour: string;
  readonly points: 'up' | 'down';
}

export interface Plot {
  readonly title: string;
  readonly says: string;
  readonly parts: readonly (Curves | Band)[];
  /** Vertical lines through all parts. */
  readonly events: readonly { readonly at: string; readonly name: string }[];
  /** What is said below an instant of the axis, where it is another than the instant itself. */
  readonly label?: ((at: string) => string) | undefined;
}

const WIDTH = 900;
const LEFT = 70;
const RIGHT = 190;
const CURVES = 150;
const BAND = 26;
const GAP = 40;
const FLOOR = 1e-3;
/** Letters that fit into the width. */
const LONGEST = 140;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const n = (x: number): string => String(Number(x.toFixed(2)));
const short = (x: number): string => (Math.abs(x) >= 1e4 ? x.toExponential(0) : String(Number(x.toPrecision(3))));

const text = (x: number, y: number, says: string, more = ''): string =>
  `<text x="${n(x)}" y="${n(y)}" ${more}>${escaped(says)}</text>`;
const line = (x1: number, y1: number, x2: number, y2: number, more: string): string =>
  `<line x1="${n(x1)}" y1="${n(y1)}" x2="${n(x2)}" y2="${n(y2)}" ${more}/>`;

const isBand = (part: Curves | Band): part is Band => 'stretches' in part;
const heightOf = (part: Curves | Band): number => (isBand(part) ? BAND : CURVES) + GAP;

const timesOf = ({ parts, events }: Plot): number[] =>
  [
    ...events.map((e) => e.at),
    ...parts.flatMap((p) =>
      isBand(p)
        ? [...p.stretches.flatMap((s) => [s.from, s.to]), ...(p.marks ?? []).map((m) => m.at)]
        : p.curves.flatMap((c) => c.points.map((q) => q.at)),
    ),
  ].map((t) => Date.parse(t));

type X = (at: string) => number;

const drawCurves = ({ title, curves, limits, log = false }: Curves, top: number, x: X): string[] => {
  const ys = [...limits.map((l) => l.y), ...curves.flatMap((c) => c.points.flatMap((p) => [p.y, p.upper ?? p.y]))];
  const finite = ys.filter(Number.isFinite);
  const scale = (y: number): number => (log ? Math.log10(Math.max(FLOOR, y)) : y);
  const [least, most] = [
    log ? scale(FLOOR) : 0,
    scale(Math.max(log ? 10 * FLOOR : 1e-9, ...finite)) * (log ? 1 : 1.08),
  ];
  const y = (value: number): number =>
    top + CURVES - (CURVES * (Math.min(most, Math.max(least, scale(value))) - least)) / (most - least || 1);
  const out = [
    text(LEFT, top - 8, title, 'font-weight="bold"'),
    line(LEFT, top + CURVES, WIDTH - RIGHT, top + CURVES, 'stroke="#999"'),
    line(LEFT, top, LEFT, top + CURVES, 'stroke="#999"'),
    text(LEFT - 6, top + CURVES, log ? `≤ ${FLOOR}` : '0', 'text-anchor="end"'),
  ];
  if (limits.every((l) => y(l.y) > top + 14))
    out.push(text(LEFT - 6, top + 8, short(log ? 10 ** most : most), 'text-anchor="end" fill="#888"'));
  for (const [i, { name, points }] of curves.entries()) {
    const colour = COLOURS[i % COLOURS.length] as string;
    const band = points.filter((p) => p.lower !== undefined && p.upper !== undefined);
    if (band.length > 1) {
      const edge = (of: 'lower' | 'upper') => band.map((p) => `${n(x(p.at))},${n(y(p[of] as number))}`);
      out.push(
        `<polygon points="${[...edge('upper'), ...edge('lower').reverse()].join(' ')}" fill="${colour}" opacity="0.15"/>`,
      );
    }
    out.push(
      `<polyline points="${points.map((p) => `${n(x(p.at))},${n(y(p.y))}`).join(' ')}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
    );
    if (points.length === 1)
      for (const p of points) out.push(`<circle cx="${n(x(p.at))}" cy="${n(y(p.y))}" r="3" fill="${colour}"/>`);
    out.push(text(WIDTH - RIGHT + 12, top + 12 + 15 * i, name, `fill="${colour}"`));
  }
  for (const { name, y: at } of limits) {
    out.push(line(LEFT, y(at), WIDTH - RIGHT, y(at), 'stroke="#333" stroke-dasharray="5 4"'));
    out.push(text(LEFT - 6, y(at) + 4, short(at), 'text-anchor="end"'));
    out.push(text(WIDTH - RIGHT - 4, y(at) - 4, name, 'text-anchor="end" fill="#333"'));
  }
  return out;
};

const drawBand = ({ title, stretches, marks = [] }: Band, top: number, x: X): string[] => {
  const out = [text(LEFT, top - 8, title, 'font-weight="bold"')];
  for (const s of stretches) {
    const width = Math.max(1.5, x(s.to) - x(s.from));
    out.push(
      `<rect x="${n(x(s.from))}" y="${n(top)}" width="${n(width)}" height="${BAND - 8}" fill="${s.colour}"><title>${escaped(s.name)}</title></rect>`,
    );
  }
  for (const m of marks) {
    const cx = x(m.at);
    const [base, tip] = m.points === 'up' ? [top + BAND + 4, top + BAND - 4] : [top + BAND + 6, top + BAND + 14];
    out.push(
      `<path d="M${n(cx - 5)} ${n(base)}L${n(cx + 5)} ${n(base)}L${n(cx)} ${n(tip)}Z" fill="${m.colour}"><title>${escaped(m.name)}</title></path>`,
    );
  }
  return out;
};

/** What each colour of the bands means, in lines below all of them. */
const drawLegend = (parts: Plot['parts'], top: number): { readonly out: string[]; readonly height: number } => {
  const names = new Map(parts.flatMap((p) => (isBand(p) ? p.stretches.map((s) => [s.name, s.colour] as const) : [])));
  const out: string[] = [];
  let [at, y] = [LEFT, top];
  for (const [name, colour] of names) {
    const width = 8 * name.length + 26;
    if (at > LEFT && at + width > WIDTH) [at, y] = [LEFT, y + 16];
    out.push(`<rect x="${n(at)}" y="${n(y - 9)}" width="10" height="10" fill="${colour}"/>`, text(at + 14, y, name));
    at += width;
  }
  return { out, height: names.size === 0 ? 0 : y - top + 22 };
};

/** Instants on the axis, as parts of its length. */
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/** A picture of parts under each other on one axis of time, as a document of SVG. The same plot gives the same text. */
export const svgOf = (plot: Plot): string => {
  const times = timesOf(plot).filter(Number.isFinite);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const x: X = (at) => LEFT + ((WIDTH - LEFT - RIGHT) * (Date.parse(at) - first)) / (last - first || 1);
  const head = 76;
  const bottom = head + 10 + plot.parts.reduce((sum, p) => sum + heightOf(p), 0);
  const out: string[] = [];
  let top = head + 22;
  for (const part of plot.parts) {
    out.push(...(isBand(part) ? drawBand(part, top, x) : drawCurves(part, top, x)));
    top += heightOf(part);
  }
  for (const [i, e] of plot.events.entries()) {
    out.push(line(x(e.at), head - 4, x(e.at), bottom - 18, 'stroke="#cc0000" stroke-dasharray="2 3"'));
    out.push(text(x(e.at) + 3, head - 8 - 11 * (i % 2), e.name, 'fill="#cc0000"'));
  }
  const { label = (at) => at } = plot;
  const day = (ms: number): string => label(new Date(ms).toISOString()).slice(0, 16).replace('T', ' ');
  for (const share of times.length === 0 ? [] : last === first ? [0] : TICKS) {
    const at = LEFT + (WIDTH - LEFT - RIGHT) * share;
    const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
    out.push(line(at, bottom - 16, at, bottom - 12, 'stroke="#999"'));
    out.push(text(at, bottom, day(first + (last - first) * share), `text-anchor="${anchor}"`));
  }
  const legend = drawLegend(plot.parts, bottom + 22);
  out.push(...legend.out);
  const height = n(bottom + 16 + legend.height);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    text(12, 22, plot.title, 'font-size="15" font-weight="bold"'),
    text(12, 40, plot.says.length > LONGEST ? `${plot.says.slice(0, LONGEST - 1)}…` : plot.says, 'fill="#444"'),
    ...out,
    '</svg>',
    '',
  ].join('\n');
};
