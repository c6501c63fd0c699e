// CDK's template validation costs 17 s a suite and tests nothing of ours; cdk-nag and cfn-lint run regardless.
process.env.CDK_VALIDATION = 'false';

const swc = [
  '@swc/jest',
  { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'commonjs' } },
];

const shared = {
  testEnvironment: 'node',
  transform: { '^.+\\.(ts|mts|js|mjs)$': swc },
  transformIgnorePatterns: ['/node_modules/(?!(canonicalize|@noble|hyparquet|hyparquet-writer|commander)/)'],
};

export default {
  projects: [
    {
      ...shared,
      displayName: 'fast',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['<rootDir>/test/local/', '<rootDir>/test/soak/'],
    },
    { ...shared, displayName: 'plant', testMatch: ['<rootDir>/test/local/**/*.test.ts'] },
    { ...shared, displayName: 'soak', testMatch: ['<rootDir>/test/soak/**/*.test.ts'] },
  ],
};
