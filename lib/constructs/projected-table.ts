import { type CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import { Construct } from 'constructs';

type Partition =
  | { readonly type: 'enum'; readonly values: readonly string[] }
  | { readonly type: 'date'; readonly from: string };

export interface ProjectedTableProps {
  readonly database: CfnDatabase;
  readonly name: string;
  readonly says: string;
  /** Without a slash at the end; partitions follow as `name=value/`. */
  readonly location: string;
  readonly columns: Readonly<Record<string, string>>;
  readonly partitions: Readonly<Record<string, Partition>>;
}

/** A Parquet table whose partitions are computed, not crawled: a new object is in the next query. */
export class ProjectedTable extends Construct {
  constructor(scope: Construct, id: string, props: ProjectedTableProps) {
    super(scope, id);
    const parameters: Record<string, string> = {
      EXTERNAL: 'TRUE',
      classification: 'parquet',
      'projection.enabled': 'true',
      'storage.location.template': `${props.location}/${Object.keys(props.partitions)
        .map((name) => `${name}=\${${name}}/`)
        .join('')}`,
    };
    for (const [name, partition] of Object.entries(props.partitions)) {
      parameters[`projection.${name}.type`] = partition.type;
      if (partition.type === 'enum') parameters[`projection.${name}.values`] = partition.values.join(',');
      else {
        parameters[`projection.${name}.format`] = 'yyyy-MM-dd';
        parameters[`projection.${name}.range`] = `${partition.from},NOW+1DAY`;
        parameters[`projection.${name}.interval`] = '1';
        parameters[`projection.${name}.interval.unit`] = 'DAYS';
      }
    }
    const table = new CfnTable(this, 'Table', {
      catalogId: props.database.catalogId,
      databaseName: props.database.ref,
      tableInput: {
        name: props.name,
        description: props.says,
        tableType: 'EXTERNAL_TABLE',
        parameters,
        partitionKeys: Object.keys(props.partitions).map((name) => ({ name, type: 'string' })),
        storageDescriptor: {
          location: `${props.location}/`,
          columns: Object.entries(props.columns).map(([name, type]) => ({ name, type })),
          inputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
          outputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
          serdeInfo: { serializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
        },
      },
    });
    table.addResourceDependency(props.database);
  }
}
