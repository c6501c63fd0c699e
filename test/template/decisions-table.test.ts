import { decisionColumns } from '../../lambdas/record-decisions/handler.ts';
import { configOf, resourcesOf, synthesise } from './synth.ts';

describe('the table of decisions', () => {
  it('has the columns that are written, in their order and of their types', () => {
    const [table] = resourcesOf(synthesise(configOf('local')), 'AWS::Glue::Table').filter(
      (t) => (t.Properties['TableInput'] as { Name: string }).Name === 'decisions',
    );
    if (table === undefined) throw new Error('no stack makes a table of decisions');
    const { StorageDescriptor } = table.Properties['TableInput'] as {
      StorageDescriptor: { Columns: { Name: string; Type: string }[] };
    };
    const types = { string: 'string', integer: 'bigint', double: 'double' } as Readonly<Record<string, string>>;
    expect(StorageDescriptor.Columns.map((c) => `${c.Name} ${c.Type}`)).toEqual(
      decisionColumns([]).map((c) => `${c.name} ${types[c.type]}`),
    );
  });
});
