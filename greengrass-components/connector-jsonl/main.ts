import { randomBytes } from 'node:crypto';
import type { DecisionRecord } from '#core/contracts/decision.ts';
import { ConnectorConfig, ConnectorIntake, type ConnectorMachine, ConnectorMachines } from '#core/contracts/device.ts';
import { ContractError, parseAs } from '#core/contracts/errors.ts';
import { framingProblems } from '#core/frames/framing.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { deviceOf, fail, log, onStop, stateDirOf } from '../shared/component.ts';
import { connectNucleus } from '../shared/ipc.ts';
import { LineClient, runtimeSocketPath } from '../shared/line-socket.ts';
import { openSpool } from '../shared/open-spool.ts';
import type { Spool } from '../shared/spool.ts';
import { makeKeeper } from './hand-on.ts';
import { type LinkDeps, MachineLink } from './machine-link.ts';
import { Station } from './station.ts';

const ANSWER_MS = 15_000;

/** @throws {ContractError} when the signals cannot be framed as it says. */
const intakeOf = (text: string): ConnectorIntake | null => {
  if (text === '') return null;
  const intake = parseAs(ConnectorIntake, JSON.parse(text), 'intake');
  const problems = intake.framing === undefined ? [] : framingProblems(intake.framing, intake.signals);
  if (problems.length > 0) throw new ContractError('intake', problems);
  return intake;
};

const main = async (): Promise<void> => {
  const stateDir = stateDirOf(process.argv.slice(2));
  const nucleus = await connectNucleus(() => fail('the nucleus ended the connection'));
  const runtime = new LineClient(runtimeSocketPath(stateDir));
  const decide = async (frame: unknown) =>
    (await runtime.request({ op: 'decide', frame }, ANSWER_MS)) as DecisionRecord;
  const unchecked: LinkDeps = {
    decide,
    log,
    read: async () => {
      throw new ContractError('reading', ['intake: expected one in the configuration of the connector, there is none']);
    },
  };
  let spool: Spool | null = null;
  let boot = '';
  let links: readonly MachineLink[] = [];
  let stations: readonly Station[] = [];
  let timer: NodeJS.Timeout | undefined;
  let linked = '';

  const stationsOf = async (
    config: ConnectorConfig,
    intake: ConnectorIntake,
    device: string,
    machines: readonly ConnectorMachine[],
  ): Promise<readonly Station[]> => {
    const open = spool ?? (await openSpool(stateDir));
    if (spool === null) boot = open.newBoot(randomBytes(4).toString('hex'));
    spool = open;
    const { stage, site } = config;
    const keep = makeKeeper({
      spool: open,
      stage,
      site,
      device,
      boot,
      provenance: { connector: 'connector-jsonl', configVersion: digestOf(intake).slice('sha256:'.length, 23) },
      sendsObservations: config.observations === 'true',
      clock: () => Date.now(),
    });
    return machines.map(({ asset }) => {
      const name = `connector/${asset}`;
      return new Station({
        site,
        asset,
        intake,
        decide,
        load: () => open.getMeta(name),
        keep: (state, handOn) => keep(name, state, handOn),
        clock: () => Date.now(),
        log,
      });
    });
  };
  const keepAll = async (): Promise<void> => {
    for (const station of stations) await station.keep();
  };

  /** Opens the lines to the machines of this device; what is configured as before is left alone. */
  const link = async (): Promise<void> => {
    const config = await nucleus.configuration(ConnectorConfig);
    const device = deviceOf(process.env['AWS_IOT_THING_NAME'], config.stage, config.site);
    const machines = parseAs(ConnectorMachines, JSON.parse(config.machines), 'machines')[device] ?? [];
    const wanted = JSON.stringify({ ...config, machines });
    if (wanted === linked) return;
    const intake = intakeOf(config.intake);
    if (machines.length === 0) log('warn', 'no machine is configured for this device', { device });
    clearInterval(timer);
    for (const l of links) l.close();
    await keepAll();
    stations = intake === null ? [] : await stationsOf(config, intake, device, machines);
    links = machines.map((machine, i) => {
      const station = stations[i];
      if (station === undefined) return new MachineLink(machine, unchecked);
      return new MachineLink(machine, {
        decide: (f) => station.decide(f),
        read: (r, tell) => station.read(r, tell),
        log,
      });
    });
    linked = wanted;
    timer = setInterval(keepAll, config.messageSeconds * 1000);
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
  onStop(async () => {
    clearInterval(timer);
    for (const l of links) l.close();
    await keepAll();
    runtime.close();
    spool?.close();
  });
  await nucleus.running();
};

await main().catch((error) => fail('the connector could not start', error));
