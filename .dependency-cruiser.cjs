// Who may import whom (docs/architecture.md). Every edge counts: static, dynamic, re-exported, type-only.
const npm = 'node_modules';
const between = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^(bin|lib|core|lambdas|greengrass-components|use-cases|local|cli|console|test|bench|scripts)/', pathNot: allowed },
});

module.exports = {
  forbidden: [
    between('core-is-pure', '^core/', '^core/', 'core imports core, and nothing that does I/O'),
    {
      name: 'core-allow-list',
      comment: 'core may use only these pure libraries; yaml reads texts that people write and knows the line of each node, hyparquet turns columns into bytes and back',
      severity: 'error',
      from: { path: '^core/' },
      to: { path: `${npm}/`, pathNot: `${npm}/(zod|canonicalize|@noble/hashes|semver|yaml|hyparquet|hyparquet-writer|@types)/` },
    },
    { name: 'core-no-builtins', severity: 'error', comment: 'core does no I/O', from: { path: '^core/' }, to: { dependencyTypes: ['core'] } },
    between('contracts-first', '^core/contracts/', '^core/contracts/', 'contracts know nobody'),
    between('lambdas', '^lambdas/([^/]+)/', '^(core/|lambdas/shared/|lambdas/$1/)', 'a Lambda imports core and lambdas/shared; use cases reach it as published documents'),
    between('components', '^greengrass-components/([^/]+)/', '^(core/|greengrass-components/shared/|greengrass-components/$1/)', 'a component imports core and the edge adapters'),
    between('use-cases', '^use-cases/([^/]+)/', '^(core/contracts/|use-cases/$1/)', 'a use case is a document and a source of frames'),
    between('lib', '^lib/', '^(lib/|core/contracts/|use-cases/)', 'lib names handlers and components by path, never by import'),
    between('bin', '^bin/', '^(bin/|lib/)', 'bin composes, no more'),
    between('cli', '^cli/', '^(cli/|core/|local/faults/)', 'the CLI never reaches into a Lambda; of the local plant it knows the faults'),
    between('local', '^local/', '^(local/|core/|use-cases/)', 'the local plant starts everything else as a user would'),
    { name: 'no-cycles', severity: 'error', from: { pathNot: npm }, to: { circular: true } },
    { name: 'resolvable', severity: 'error', comment: 'an import that resolves to nothing', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: npm },
    exclude: { path: '\\.build/|cdk\\.out' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'require', 'default', 'types'] },
  },
};
