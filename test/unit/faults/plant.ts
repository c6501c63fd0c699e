import { LocalPlant } from '../../../core/contracts/local-plant.ts';

/** What a plant with one device in a state folder says of itself. */
export const localPlant = (stateDir: string): LocalPlant =>
  LocalPlant.parse({
    schema: 'local-plant/1',
    stage: 'local',
    site: 'plant-a',
    region: 'us-east-1',
    account: '000000000000',
    pid: 10,
    startedAt: '2026-01-01T00:00:00.000Z',
    endpoints: {
      aws: 'http://127.0.0.1:1',
      sagemaker: 'http://127.0.0.1:2',
      greengrass: 'http://127.0.0.1:3',
      mqtt: '127.0.0.1:4',
    },
    services: [
      { name: 'aws', pid: 11, log: `${stateDir}/logs/aws.log` },
      { name: 'sagemaker', pid: 12, log: `${stateDir}/logs/sagemaker.log` },
    ],
    modelLine: 'predictive-maintenance/plant-a',
    data: null,
    seed: 1,
    devices: [
      {
        device: 'edge-1',
        thing: 'millwright-local-plant-a-edge-1',
        ring: 0,
        deviceClass: 'x86-64',
        nucleus: 'classic',
        root: `${stateDir}/devices/edge-1`,
        pid: 41,
      },
    ],
  });
