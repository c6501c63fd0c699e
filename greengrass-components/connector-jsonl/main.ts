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
  const config = await nucleus.configuration(ConnectorConfig);
  const device = deviceOf(process.env['AWS_IOT_THING_NAME'], config.stage, config.site);
  const machines = parseAs(ConnectorMachines, JSON.parse(config.machines), 'machines')[device] ?? [];
  if (machines.length === 0) log('warn', 'no machine is configured for this device', { device });
  const runtime = new LineClient(runtimeSocketPath(stateDir));
  const links = machines.map(
    (machine) =>
      new MachineLink(machine, {
        decide: async (frame) => (await runtime.request({ op: 'decide', frame }, ANSWER_MS)) as DecisionRecord,
        log,
      }),
  );
  for (const link of links) link.open();
  onStop(() => {
    for (const link of links) link.close();
    runtime.close();
  });
  await nucleus.running();
};

await main().catch((error) => fail('the connector could not start', error));
