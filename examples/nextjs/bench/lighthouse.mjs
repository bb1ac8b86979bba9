// What Lighthouse gives a page of this application, which runs as it was built (`npm run start`), the service behind
// it: node bench/lighthouse.mjs [URL] [RUNS]. Medians, since a single run may be much worse than the page is.
import { loadavg } from 'node:os';
import lighthouse, { desktopConfig } from 'lighthouse';
import { chromium } from 'playwright-core';

const [url = 'http://localhost:3000/', runs = '5'] = process.argv.slice(2);
const FIGURES = ['first-contentful-paint', 'largest-contentful-paint', 'total-blocking-time', 'cumulative-layout-shift', 'speed-index', 'server-response-time'];

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}

const port = 9_300 + (process.pid % 600);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', `--remote-debugging-port=${port}`],
});
try {
  for (const [name, config] of [
    ['mobile', undefined],
    ['desktop', desktopConfig],
  ]) {
    const reports = [];
    const loads = [];
    for (let run = 0; run < Number(runs); run += 1) {
      loads.push(loadavg()[0]);
      reports.push((await lighthouse(url, { port, logLevel: 'error' }, config)).lhr);
    }
    const scores = Object.keys(reports[0].categories).map(
      (id) => `${id} ${Math.round(100 * median(reports.map(({ categories }) => categories[id].score)))}`,
    );
    const figures = FIGURES.map((id) => {
      const value = median(reports.map(({ audits }) => audits[id].numericValue));
      return `${id} ${id === 'cumulative-layout-shift' ? value.toFixed(3) : `${Math.round(value)} ms`}`;
    });
    console.log(`${name}, ${runs} runs: ${scores.join(', ')}`);
    console.log(`  performance of each: ${reports.map(({ categories }) => Math.round(100 * categories.performance.score)).join(', ')}`);
    console.log(`  ${figures.join(', ')}`);
    console.log(`  load ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}, benchmarkIndex ${median(reports.map(({ environment }) => environment.benchmarkIndex))}`);
    const faults = new Set(
      reports.flatMap(({ audits }) =>
        Object.values(audits)
          .filter(({ score, scoreDisplayMode }) => score !== null && score < 0.9 && scoreDisplayMode !== 'informative')
          .map(({ id }) => id),
      ),
    );
    if (faults.size > 0) console.log(`  named: ${[...faults].join(', ')}`);
    if (process.env.LIGHTHOUSE_JSON) {
      const { writeFileSync } = await import('node:fs');
      writeFileSync(`${process.env.LIGHTHOUSE_JSON}-${name}.json`, JSON.stringify(reports.at(-1)));
    }
  }
} finally {
  await browser.close();
}
