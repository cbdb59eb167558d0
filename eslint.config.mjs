import { createProjectGraphAsync } from '@nx/devkit';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

// The boundary rule reads a cached project graph and passes silently when there is none, as in a fresh clone.
await createProjectGraphAsync({ exitOnError: true });

const SERVICE_LIBS = [
  'scope:event-log',
  'scope:event-bus',
  'scope:contracts',
  'scope:object-store',
  'scope:service-kit',
  'scope:access-control',
];

/** Which kinds of project may import which; architecture rules that a review would miss. */
const boundaries = (allow) => [
  'error',
  {
    enforceBuildableLibDependency: false,
    allow,
    depConstraints: [
      { sourceTag: 'type:lib', onlyDependOnLibsWithTags: ['type:lib'] },
      { sourceTag: 'type:tool', onlyDependOnLibsWithTags: ['type:lib', 'type:tool'] },
      { sourceTag: 'type:service', onlyDependOnLibsWithTags: SERVICE_LIBS },
      { sourceTag: 'scope:gateway', onlyDependOnLibsWithTags: [...SERVICE_LIBS, 'type:page'] },
      {
        sourceTag: 'scope:standalone',
        onlyDependOnLibsWithTags: ['type:lib', 'type:service', 'type:tool', 'type:page'],
      },
      {
        // What our API is stands beside the controllers of every service.
        sourceTag: 'scope:openapi',
        onlyDependOnLibsWithTags: ['scope:contracts', 'scope:service-kit', 'type:service'],
      },
      { sourceTag: 'scope:event-log', onlyDependOnLibsWithTags: [] },
      { sourceTag: 'scope:contracts', onlyDependOnLibsWithTags: [] },
      { sourceTag: 'scope:object-store', onlyDependOnLibsWithTags: [] },
      { sourceTag: 'scope:event-bus', onlyDependOnLibsWithTags: ['scope:event-log', 'scope:contracts'] },
      {
        sourceTag: 'scope:access-control',
        onlyDependOnLibsWithTags: ['scope:event-log', 'scope:event-bus', 'scope:contracts'],
      },
    ],
  },
];

export default tseslint.config(
  { ignores: ['**/dist', '**/.nx', '**/node_modules', '**/test-results', '**/*.d.ts'] },
  {
    files: ['**/*.ts', '**/*.tsx', '**/*.mjs', '**/*.cjs'],
    languageOptions: { parser: tseslint.parser },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { '@nx': nx, '@typescript-eslint': tseslint.plugin },
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'A union of strings says the same and travels as JSON.' },
      ],
      eqeqeq: 'error',
      'no-console': 'off',
      'prefer-const': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/ban-ts-comment': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    rules: {
      '@nx/enforce-module-boundaries': boundaries([]),
    },
  },
  {
    // A suite is one function to the parser, and a table of cases is long by nature.
    files: ['**/*.spec.ts', '**/test/**'],
    rules: { 'max-lines-per-function': 'off' },
  },
  {
    // Tests start real servers by the tools that start them.
    files: ['**/*.spec.ts', '**/test/**/*.ts'],
    rules: { '@nx/enforce-module-boundaries': boundaries(['@mledger/infra', '@mledger/infra/jest']) },
  },
);
