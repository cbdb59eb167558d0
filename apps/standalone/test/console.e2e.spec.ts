import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { TestProcess } from '@mledger/service-kit/testing';
import { READY, spawnStandalone } from './spawn-standalone';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/Applications/Google Chrome.app/Contents/MacOS'];

function findChromium(): string | undefined {
  const candidates = FOLDERS.flatMap((folder) => [...NAMES, 'Google Chrome'].map((name) => join(folder, name)));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const executablePath = findChromium();
if (!executablePath && process.env.CI) throw new Error('CI needs Chromium: apt-get install chromium');
if (!executablePath) process.stderr.write('\nSKIPPED: the console in a browser\nno Chromium is on the PATH\n\n');

(executablePath ? describe : describe.skip)('the console', () => {
  const home = mkdtempSync(join(tmpdir(), 'mledger-console-'));
  let standalone: TestProcess;
  let url: string;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    standalone = spawnStandalone(home);
    url = await standalone.says(READY);
    const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'];
    browser = await chromium.launch({ executablePath, args });
    page = await browser.newPage();
    await page.goto(url);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await standalone?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it('shows every service as ready', async () => {
    await page.waitForFunction(() => document.querySelectorAll('.services .ready').length === 8);
    expect(await page.locator('.services li').allTextContents()).toContain('registry');
  });

  it.each(['mlflow', 'lakefs', 'boto3', 'tritonclient', 'curl'])(
    'has the lines for %s, with its own address',
    async (client) => {
      await page.getByRole('button', { name: client, exact: true }).click();
      expect(await page.getByTestId('lines').textContent()).toContain(new URL(url).host);
    },
  );

  it('shows an event as it happens', async () => {
    await page.getByText('live', { exact: true }).waitFor();
    const name = `seen-${Date.now()}`;
    const created = await fetch(`${url}/api/2.0/mlflow/experiments/create`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    });
    expect(created.status).toBe(200);
    const entry = page.locator('ol li', { hasText: 'ExperimentCreated' }).first();
    await entry.locator('summary').click();
    await entry.getByText(name).first().waitFor();
  });

  it('says so when the server is gone, and comes back with it', async () => {
    await standalone.stop();
    await page.locator('.connection.lost, .connection.connecting').waitFor();
    standalone = spawnStandalone(home, { MLEDGER_PORT: new URL(url).port });
    await standalone.says(READY);
    await page.locator('.connection.live').waitFor();
  }, 60_000);
});
