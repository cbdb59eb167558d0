const path = require('node:path');
const { spawnSync } = require('node:child_process');

const CLI = path.join(__dirname, 'cli.mjs');

/**
 * A `describe` whose tests need these; see jest.d.cts.
 * @param {string[]} needs
 * @param {string} title
 * @param {() => void} body
 */
function describeWith(needs, title, body) {
  // Jest wants to know its tests at once, so the question is asked of a process of its own.
  const answer = spawnSync(process.execPath, [CLI, 'prepare', ...needs], { encoding: 'utf8' });
  if (answer.status === 0) {
    describe(title, body);
  } else if (process.env.CI) {
    describe(title, () => {
      test(`has ${needs.join(' and ')}`, () => {
        throw new Error(answer.stderr);
      });
    });
  } else {
    process.stderr.write(`\nSKIPPED: ${title}\n${answer.stderr}\n`);
    describe.skip(title, body);
  }
}

module.exports = { describeWith };
