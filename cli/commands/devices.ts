import { deviceReports } from '../find.ts';
import { ago, answer, figure, type Output, paint, say, short, table } from '../output.ts';
import type { World } from '../world.ts';

/** What each device serves and how it is doing, from its own newest report. */
export const devices = async (world: World, out: Output): Promise<void> => {
  const reports = await deviceReports(world);
  const local = new Map(world.plant?.devices.map((d) => [d.device, d]));
  const rows = reports.map((r) => ({
    ...r,
    ring: local.get(r.device)?.ring ?? null,
    nucleus: local.get(r.device)?.nucleus ?? null,
  }));
  const now = world.now();
  answer(out, rows, () => {
    table(
      out,
      rows,
      [
        { title: 'DEVICE', of: (d) => d.device },
        { title: 'RING', of: (d) => (d.ring === null ? '–' : String(d.ring)), align: 'right' },
        { title: 'CLASS', of: (d) => d.deviceClass },
        { title: 'SERVES', of: (d) => short(d.serving?.packageDigest) },
        { title: 'NO', of: (d) => (d.serving === null ? '–' : String(d.serving.releaseNumber)), align: 'right' },
        { title: 'AS', of: (d) => d.serving?.variant ?? '–' },
        { title: 'DECIDED', of: (d) => String(d.sinceAdoption.decided), align: 'right' },
        {
          title: 'UNDEC/FALLB/HELD',
          of: (d) => `${d.sinceAdoption.undecided}/${d.sinceAdoption.fallback}/${d.sinceAdoption.held}`,
          align: 'right',
        },
        { title: 'P99 MS', of: (d) => figure(d.sinceAdoption.latencyP99Ms, 1), align: 'right' },
        { title: 'SPOOL', of: (d) => String(d.spool.pending), align: 'right' },
        { title: 'REPORTED', of: (d) => ago(d.at, now) },
      ],
      'No device has reported yet.',
    );
    for (const d of rows)
      if (d.lastRefusal !== null)
        say(
          out,
          `${paint(out, 'yellow', '!')} ${d.device} refused package ${short(d.lastRefusal.packageDigest)} ${ago(d.lastRefusal.at, now)}: ${d.lastRefusal.reason}`,
        );
  });
};
