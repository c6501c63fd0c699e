import type { PlantFile } from '#core/plant-model/problem.ts';
import { readPlant } from '#core/plant-model/read-plant.ts';

/** A sound plant in three files; line numbers matter to tests. */
export const PLANT_YAML = `schema: plant-model/1
enterprise:
  id: acme
places:
  - {id: plant-a, level: site}
  - {id: hall-1, level: area, within: plant-a}
  - {id: line-1, level: production-line, within: hall-1}
  - {id: cell-1, level: work-unit, within: line-1}
connections:
  - {id: plc-1, protocol: opc-ua, endpoint: "opc.tcp://10.0.0.5:4840"}
hierarchies:
  - id: energy
    nodes:
      - {id: feeder-1}
      - {id: feeder-2, within: feeder-1, assets: [pump-1]}
`;

export const MODELS_YAML = `schema: plant-model/1
models:
  - id: pump
    assetClass: pump
    owner: maintenance
    signals:
      - name: pressure
        dataType: double
        unit: bar
        engineeringRange: [0, 10]
        instrumentRange: [0, 16]
        sampling: {mode: periodic, intervalSeconds: 1}
        criticality: high
        address: "ns=2;s={asset}.p"
      - name: running
        dataType: boolean
        unit: "1"
        sampling: {mode: exception, maxSilenceSeconds: 60}
        criticality: low
        address: "ns=2;s={asset}.on"
`;

export const ASSETS_CSV = `id,model,at,serial,connection
pump-1,pump,cell-1,S-1,plc-1
pump-2,pump,cell-1,S-2,plc-1
`;

export const FILES: readonly PlantFile[] = [
  { path: 'plant.yaml', text: PLANT_YAML },
  { path: 'models.yaml', text: MODELS_YAML },
  { path: 'assets.csv', text: ASSETS_CSV },
];

/** The plant with a text of its files replaced by another; every file that has it. */
export const edited = (from: string, to: string, files = FILES): readonly PlantFile[] => {
  if (!files.some((f) => f.text.includes(from))) throw new Error(`no file has "${from}"`);
  return files.map((f) => ({ ...f, text: f.text.replace(from, to) }));
};

/** `file:line message` of each problem. */
export const problemsOf = (files: readonly PlantFile[]): readonly string[] =>
  readPlant(files).problems.map((p) => `${p.file}:${p.line} ${p.message}`);
