const fs = require('node:fs');
const path = require('node:path');
const { createHash } = require('node:crypto');
const { availability, installOnce, run, CommandError } = require('./cache.cjs');

const VERSION_MIN = [3, 10];

/**
 * A Python environment with these packages, made once and kept in the cache. See index.d.cts.
 * @param {import('../index.cjs').PythonOptions} options
 * @returns {Promise<import('../index.cjs').PythonEnvironment>}
 */
async function pythonEnvironment({ name, requirements, log = () => undefined }) {
  if (!/^[a-z0-9-]+$/.test(name))
    throw new Error(`The name of a Python environment is lower case and dashes, not "${name}"`);
  const python = await findPython();
  const key = JSON.stringify([python, [...requirements].sort()]);
  const folder = await installOnce({
    name: `python-${name}-${digest(key)}`,
    what: `the Python environment ${name}`,
    log,
    install: async (target) => {
      log(`Making the Python environment ${name}: ${requirements.join(' ')}`);
      const uv = await findUv(python, log);
      await makeEnvironment({ python: python.executable, target: path.join(target, 'venv'), requirements, uv });
    },
  });
  const bin = path.join(folder, 'venv', 'bin');
  return { python: path.join(bin, 'python'), bin };
}

/**
 * @param {{ python: string, target: string, requirements: string[], uv: string | undefined }} options
 */
async function makeEnvironment({ python, target, requirements, uv }) {
  const wanted = path.join(path.dirname(target), 'requirements.txt');
  fs.writeFileSync(wanted, requirements.map((line) => `${line}\n`).join(''));
  if (uv) {
    await run(uv, ['venv', '--no-python-downloads', '--python', python, target]);
    await run(uv, ['pip', 'install', '--python', path.join(target, 'bin', 'python'), '-r', wanted]);
  } else {
    await run(python, ['-m', 'venv', target]);
    await run(path.join(target, 'bin', 'python'), [
      '-m',
      'pip',
      'install',
      '--disable-pip-version-check',
      '-r',
      wanted,
    ]);
  }
}

/**
 * uv installs ten times faster than pip: the one on the PATH, else one of our own.
 * @param {{ executable: string, version: string }} python
 * @param {(line: string) => void} log
 * @returns {Promise<string | undefined>} undefined where uv does not exist; pip does the work then
 */
async function findUv(python, log) {
  try {
    await run('uv', ['--version']);
    return 'uv';
  } catch {
    log('uv is not on the PATH; installing it into an environment of its own');
  }
  try {
    const folder = await installOnce({
      name: `python-uv-${digest(JSON.stringify(python))}`,
      what: 'uv',
      log,
      install: (target) =>
        makeEnvironment({
          python: python.executable,
          target: path.join(target, 'venv'),
          requirements: ['uv'],
          uv: undefined,
        }),
    });
    return path.join(folder, 'venv', 'bin', 'uv');
  } catch (error) {
    log(`uv cannot be installed, so pip is used: ${/** @type {Error} */ (error).message}`);
    return undefined;
  }
}

/** @returns {Promise<{ executable: string, version: string }>} */
async function findPython() {
  const script = 'import sys; print(sys.executable, "%d.%d.%d" % sys.version_info[:3], sep="\\n")';
  const needed = `Python ${VERSION_MIN.join('.')} or newer is needed`;
  const output = await run('python3', ['-c', script]).catch((cause) => {
    throw new CommandError(`${needed}, and there is no python3: ${cause.message}`, { cause });
  });
  const [executable = '', version = ''] = output.trim().split('\n');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [majorMin = 0, minorMin = 0] = VERSION_MIN;
  if (major < majorMin || (major === majorMin && minor < minorMin)) {
    throw new CommandError(`${needed}, and python3 is ${version}`);
  }
  return { executable, version };
}

/** @param {string} text */
function digest(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/**
 * Whether there is a Python that environments can be made with. See index.d.cts.
 * @param {{ log?: (line: string) => void }} [_options] taken for the sake of likeness; nothing is downloaded here
 */
function pythonAvailable(_options) {
  return availability(findPython);
}

module.exports = { pythonEnvironment, pythonAvailable };
