import { type Chaos, type Done, makeChaos } from '../../local/faults/chaos.ts';
import { ChaosError } from '../../local/faults/orders.ts';
import { CliError, EXIT } from '../errors.ts';
import { answer, facts, type Output, paint, say, sentence, table } from '../output.ts';
import type { World } from '../world.ts';

/** Carries out an argument's reading as an error of usage. @throws {CliError} with what was expected. */
export const asUsage = <T>(read: () => T): T => {
  try {
    return read();
  } catch (error) {
    if (error instanceof ChaosError) throw new CliError(error.message, error.advice, EXIT.usage);
    throw error;
  }
};

/** @throws {CliError} for any stage but the local plant: faults are for rehearsals. */
const chaosOf = (world: World): Chaos => {
  if (world.plant === null || world.plantDir === null)
    throw new CliError(
      `chaos is for the local plant only; stage "${world.config.stage}" is in AWS and stays untouched`,
      'leave --stage out, with "npm start" running in another terminal; for AWS use its Fault Injection Service',
      EXIT.usage,
    );
  return makeChaos({ plant: world.plant, stateDir: world.plantDir, now: world.now });
};

/** Disturbs the local plant once and tells what was done and what to expect. @throws {CliError} when it cannot. */
export const disturb = async (
  world: World,
  out: Output,
  order: (chaos: Chaos) => Done | Promise<Done>,
): Promise<void> => {
  const chaos = chaosOf(world);
  try {
    const done = await order(chaos);
    answer(out, done, () => {
      say(out, `${paint(out, 'yellow', '!')} ${done.did}`);
      sentence(out, `Expect: ${done.expect}.`, '  ');
    });
  } catch (error) {
    if (error instanceof ChaosError)
      throw new CliError(error.message, error.advice, error.kind === 'usage' ? EXIT.usage : EXIT.notFound);
    throw error;
  }
};

const countsOf = (names: readonly string[]): string =>
  [...new Set(names)]
    .map((name) => {
      const count = names.filter((n) => n === name).length;
      return count === 1 ? name : `${name} ×${count}`;
    })
    .join(', ');

/** Faults in force and what can be killed. */
export const chaosStatus = async (world: World, out: Output): Promise<void> => {
  const status = chaosOf(world).status();
  answer(out, status, () => {
    const { messages, throttles = [] } = status.faults ?? {};
    const until = (u: string | null): string => (u === null ? 'until "millwright chaos stop"' : `until ${u}`);
    facts(out, [
      [
        'messages',
        messages
          ? `${messages.carriers.join(', ')}: drop ${messages.drop}, repeat ${messages.repeat}, delay ${messages.delaySeconds} s, ${until(messages.until)}`
          : 'unharmed',
      ],
      [
        'requests',
        throttles.length === 0
          ? 'unharmed'
          : throttles.map((t) => `${t.service}: ${t.share} refused, ${until(t.until)}`).join('; '),
      ],
      ['local AWS', status.emulator === null ? 'does not run' : `process ${status.emulator}`],
      ['workers', countsOf(status.workers.map((w) => w.function)) || 'none'],
      ['jobs', status.jobs.map((j) => `${j.program} (${j.pid})`).join(', ') || 'none'],
      ['devices', status.devices.map((d) => `${d.device} (${d.pid ?? 'down'})`).join(', ') || 'none'],
    ]);
    const harmed = Object.entries(status.messages).filter(([, m]) => m.dropped + m.delayed + m.repeated > 0);
    if (harmed.length === 0) return;
    say(out);
    table(
      out,
      harmed,
      [
        { title: 'MESSAGES', of: ([stream]) => stream },
        { title: 'DELIVERED', of: ([, m]) => String(m.delivered), align: 'right' },
        { title: 'LOST', of: ([, m]) => String(m.dropped), align: 'right' },
        { title: 'LATE', of: ([, m]) => String(m.delayed), align: 'right' },
        { title: 'TWICE', of: ([, m]) => String(m.repeated), align: 'right' },
      ],
      '',
    );
  });
};
