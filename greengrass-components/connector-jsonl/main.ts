import type { DecisionRecord } from '#core/contracts/decision.ts';
import { ConnectorConfig, ConnectorMachines } from '#core/contracts/device.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { deviceOf, fail, log, onStop, stateDirOf } from '../shared/component.ts';
import { connectNucleus } from '../shared/ipc.ts';
import { LineClient, runtimeSocketPath } from '../shared/line-socket.ts';
import { MachineLink } from './machine-link.ts';

const ANSWER_MS = 15_000;

const main = async (): Promise<void> => {
  const stateDir = stateDirOf(process.argv.slice(2));
  const nucleus = await connectNucleus(() => fail('the nucleus ended the connection'));
  const runtime = new LineClient(runtimeSocketPath(stateDir));
  const decide = async (frame: unknown) =>
    (await runtime.request({ op: 'decide', frame }, ANSWER_MS)) as DecisionRecord;
  let links: readonly MachineLink[] = [];
  let linked = '';

  /** Opens the lines to the machines of this device; what is configured as before is left alone. */
  const link = async (): Promise<void> => {
    const config = await nucleus.configuration(ConnectorConfig);
    const device = deviceOf(process.env['AWS_IOT_THING_NAME'], config.stage, config.site);
    const machines = parseAs(ConnectorMachines, JSON.parse(config.machines), 'machines')[device] ?? [];
    if (JSON.stringify(machines) === linked) return;
    linked = JSON.stringify(machines);
    if (machines.length === 0) log('warn', 'no machine is configured for this device', { device });
    for (const l of links) l.close();
    links = machines.map((machine) => new MachineLink(machine, { decide, log }));
    for (const l of links) l.open();
  };
  await link();
  // One after the other: updates come in bursts.
  let last = Promise.resolve();
  await nucleus.onConfiguration(() => {
    last = last
      .then(link)
      .catch((error) => log('error', 'the new configuration is left aside', { error: error.message }));
  });
  onStop(() => {
    for (const l of links) l.close();
    runtime.close();
  });
  await nucleus.running();
};

await main().catch((error) => fail('the connector could not start', error));
