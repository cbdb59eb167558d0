import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(__dirname, '../../..');

/** Lints a text as if it stood in this file of the workspace. */
function lint(file: string, text: string): string {
  const eslint = join(root, 'node_modules/eslint/bin/eslint.js');
  const args = [eslint, '--stdin', '--stdin-filename', file, '--format', 'json'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, input: text, encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  const [result] = JSON.parse(stdout) as { messages: { ruleId: string; message: string }[] }[];
  return result!.messages.filter(({ ruleId }) => ruleId === '@nx/enforce-module-boundaries').map(({ message }) => message).join('\n'); // prettier-ignore
}

describe('the module boundaries', () => {
  it.each([
    ['another service', 'apps/registry/src/probe.ts', "import '@mledger/serving';"],
    ['another service’s types', 'apps/registry/src/probe.ts', "import type { ServingModule } from '@mledger/serving';"],
    ['another service, later', 'apps/registry/src/probe.ts', "export const later = () => import('@mledger/serving');"],
    ['another service, by path', 'apps/registry/src/probe.ts', "import '../../serving/src/serving.definition';"],
    ['a tool, in what ships', 'apps/registry/src/probe.ts', "import '@mledger/infra';"],
    ['anything of ours, in the log', 'libs/event-log/src/probe.ts', "import '@mledger/contracts';"],
    ['a service, in a lib', 'libs/service-kit/src/probe.ts', "import '@mledger/registry';"],
  ])('refuse to import %s', (_name, file, text) => {
    expect(lint(file, text)).not.toBe('');
  });

  it('let a service import a lib', () => {
    expect(lint('apps/registry/src/probe.ts', "import '@mledger/event-log';")).toBe('');
  });
});
