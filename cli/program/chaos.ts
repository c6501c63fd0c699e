import type { Command } from 'commander';
import { MessageCarrier, ThrottledService } from '#core/contracts/local-plant.ts';
import { parseDuration, parseShare } from '../../local/faults/orders.ts';
import { asUsage, chaosStatus, disturb } from '../commands/chaos.ts';
import { CliError, EXIT } from '../errors.ts';
import type { Act, Add } from './parts.ts';

const oneOf = <T extends string>(options: readonly T[], what: string, text: string): T => {
  if ((options as readonly string[]).includes(text)) return text as T;
  throw new CliError(`"${text}" is no ${what}`, `use one of: ${options.join(', ')}`, EXIT.usage);
};

const seedOf = (text: string): number => {
  const seed = Number(text);
  if (Number.isInteger(seed) && seed >= 0) return seed;
  throw new CliError(`"${text}" is no seed`, 'write a whole number, 0 or more', EXIT.usage);
};

const forSecondsOf = (text: string | undefined): number | null =>
  text === undefined ? null : asUsage(() => parseDuration(text));

/** `millwright chaos`: faults on the local plant, and their end. */
export const addChaos = (program: Command, add: Add, act: Act): void => {
  const chaos = add(
    program,
    'chaos',
    'Disturb the local plant, to see that it stands it. Refused on any other stage.',
    'millwright chaos kill device edge-2',
    'millwright chaos messages --drop 0.1 --repeat 0.1 --for 30s',
    'millwright chaos stop',
  );
  const kill = add(chaos, 'kill', 'Kill a process at once (SIGKILL).', 'millwright chaos kill worker');
  add(
    kill,
    'worker [function]',
    'A process that runs a Lambda function; without a name any.',
    'millwright chaos kill worker record-decisions',
  )
    .option('--seed <n>', 'chooses among several', '1')
    .action(
      act<[string | undefined, { seed: string }]>((world, out, name, o) =>
        disturb(world, out, (c) => c.killWorker(name ?? null, seedOf(o.seed))),
      ),
    );
  add(kill, 'emulator', 'The local AWS.', 'millwright chaos kill emulator').action(
    act<[object]>((world, out) => disturb(world, out, (c) => c.killEmulator())),
  );
  add(kill, 'device <device>', 'A device with all its components.', 'millwright chaos kill device edge-2').action(
    act<[string, object]>((world, out, device) => disturb(world, out, (c) => c.killDevice(device))),
  );
  add(kill, 'trainer', 'The program of a training or processing job.', 'millwright chaos kill trainer')
    .option('--seed <n>', 'chooses among several', '1')
    .action(act<[{ seed: string }]>((world, out, o) => disturb(world, out, (c) => c.killTrainer(seedOf(o.seed)))));
  add(
    chaos,
    'network <device> <state>',
    'Cut a device off from the cloud (off), or connect it again (on).',
    'millwright chaos network edge-2 off',
  ).action(
    act<[string, string, object]>((world, out, device, state) =>
      disturb(world, out, (c) => c.network(device, oneOf(['on', 'off'], 'state of a network', state) === 'on')),
    ),
  );
  add(
    chaos,
    'messages',
    'Lose, delay or double messages that rules of IoT Core and event buses carry.',
    'millwright chaos messages --drop 0.1 --delay 2 --repeat 0.1 --for 30s',
  )
    .option('--drop <share>', 'share that never arrives', '0')
    .option('--repeat <share>', 'share that arrives twice', '0')
    .option('--delay <duration>', 'all arrive that much later', '0s')
    .option('--from <carrier>', `only messages of: ${MessageCarrier.options.join(', ')}`)
    .option('--for <duration>', 'ends by itself; default: until "millwright chaos stop"')
    .option('--seed <n>', 'the same seed, the same fates', '1')
    .action(
      act<[{ drop: string; repeat: string; delay: string; from?: string; for?: string; seed: string }]>(
        (world, out, o) => {
          const order = {
            drop: asUsage(() => parseShare(o.drop)),
            repeat: asUsage(() => parseShare(o.repeat)),
            delaySeconds: asUsage(() => parseDuration(o.delay)),
            carriers:
              o.from === undefined
                ? MessageCarrier.options
                : [oneOf(MessageCarrier.options, 'carrier of messages', o.from)],
            forSeconds: forSecondsOf(o.for),
            seed: seedOf(o.seed),
          };
          return disturb(world, out, (c) => c.messages(order));
        },
      ),
    );
  add(
    chaos,
    'throttle <service>',
    'A service refuses a share of its requests, as when it is asked too often.',
    'millwright chaos throttle lambda --share 0.3 --for 30s',
  )
    .option('--share <share>', 'share of requests that are refused', '0.3')
    .option('--for <duration>', 'ends by itself; default: until "millwright chaos stop"')
    .option('--seed <n>', 'the same seed, the same fates', '1')
    .action(
      act<[string, { share: string; for?: string; seed: string }]>((world, out, service, o) => {
        const order = {
          service: oneOf(ThrottledService.options, 'service that can be throttled', service),
          share: asUsage(() => parseShare(o.share)),
          forSeconds: forSecondsOf(o.for),
          seed: seedOf(o.seed),
        };
        return disturb(world, out, (c) => c.throttle(order));
      }),
    );
  add(chaos, 'stop', 'Take back all faults of messages and requests.', 'millwright chaos stop').action(
    act<[object]>((world, out) => disturb(world, out, (c) => c.stop())),
  );
  add(chaos, 'status', 'Faults in force, and what can be killed.', 'millwright chaos status').action(
    act<[object]>((world, out) => chaosStatus(world, out)),
  );
};
