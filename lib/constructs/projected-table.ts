import { type CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import { Construct } from 'constructs';
import { type LakePartition, type LakeTable, TIERS } from '#core/contracts/lake-tables.ts';

export interface ProjectedTableProps {
  readonly database: CfnDatabase;
  readonly bucketName: string;
  readonly table: LakeTable;
  readonly sites: readonly string[];
}

/** How Athena computes the values of a partition (docs: Athena, partition projection, supported types). */
const projection = (partition: LakePartition, sites: readonly string[]): Readonly<Record<string, string>> => {
  switch (partition.type) {
    case 'tier':
      return { type: 'enum', values: TIERS.join(',') };
    case 'site':
      return { type: 'enum', values: sites.join(',') };
    case 'injected':
      return { type: 'injected' };
    case 'date':
      return {
        type: 'date',
        format: 'yyyy-MM-dd',
        range: `${partition.from},NOW+1DAY`,
        interval: '1',
        'interval.unit': 'DAYS',
      };
  }
};

/** A Parquet table whose partitions are computed, not crawled: a new object is in the next query. */
export class ProjectedTable extends Construct {
  constructor(scope: Construct, id: string, props: ProjectedTableProps) {
    super(scope, id);
    const { name, says, prefix, columns, partitions }: LakeTable = props.table;
    const location = `s3://${props.bucketName}/${prefix}`;
    const parameters: Record<string, string> = {
      EXTERNAL: 'TRUE',
      classification: 'parquet',
      'projection.enabled': 'true',
      'storage.location.template': `${location}/${Object.keys(partitions)
        .map((p) => `${p}=\${${p}}/`)
        .join('')}`,
    };
    for (const [key, partition] of Object.entries(partitions))
      for (const [what, value] of Object.entries(projection(partition, props.sites)))
        parameters[`projection.${key}.${what}`] = value;
    const table = new CfnTable(this, 'Table', {
      catalogId: props.database.catalogId,
      databaseName: props.database.ref,
      tableInput: {
        name,
        description: says,
        tableType: 'EXTERNAL_TABLE',
        parameters,
        partitionKeys: Object.keys(partitions).map((name) => ({ name, type: 'string' })),
        storageDescriptor: {
          location: `${location}/`,
          columns: Object.entries(columns).map(([name, type]) => ({ name, type })),
          inputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
          outputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
          serdeInfo: { serializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
        },
      },
    });
    table.addResourceDependency(props.database);
  }
}
