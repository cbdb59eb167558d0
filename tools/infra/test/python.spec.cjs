const fs = require('node:fs');
const path = require('node:path');
const { execFileSync } = require('node:child_process');
const { pythonEnvironment } = require('../index.cjs');
const { describeWith } = require('../jest.cjs');
const { newFolder } = require('./processes.cjs');

describeWith(['python'], 'A Python environment', () => {
  const cache = newFolder();
  const before = process.env.MLEDGER_CACHE;
  beforeAll(() => (process.env.MLEDGER_CACHE = cache));
  afterAll(() => {
    if (before === undefined) delete process.env.MLEDGER_CACHE;
    else process.env.MLEDGER_CACHE = before;
    fs.rmSync(cache, { recursive: true, force: true });
  });

  it('is made once, even when asked for twice at the same time, and holds what was required', async () => {
    const said = [];
    const options = { name: 'trial', requirements: ['six==1.17.0'], log: (line) => said.push(line) };
    // Two lists in another order are the same environment.
    const [one, two] = await Promise.all([pythonEnvironment(options), pythonEnvironment(options)]);
    expect(two).toEqual(one);
    expect(said.filter((line) => line.startsWith('Making'))).toHaveLength(1);
    expect(execFileSync(one.python, ['-c', 'import six; print(six.__version__)'], { encoding: 'utf8' })).toBe(
      '1.17.0\n',
    );
    expect(fs.existsSync(path.join(one.bin, 'python'))).toBe(true);
  });

  it('that cannot be made leaves nothing, and says what is wrong', async () => {
    const requirements = ['mledger-no-such-package==0.0.1'];
    await expect(pythonEnvironment({ name: 'broken', requirements })).rejects.toThrow('mledger-no-such-package');
    expect(fs.readdirSync(cache).filter((name) => name.includes('broken') && !name.endsWith('.lock'))).toEqual([]);
  });
});
