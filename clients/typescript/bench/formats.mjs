// How long 100 vectors take from the call to the values, by format: `node bench/formats.mjs [rounds]`, with the
// service of EMBEDDING_SERVICE_URL. Its cache has the texts after the first round, so that what is measured is
// writing, sending and reading. Formats take turns; medians, and the ratio to number[] over JSON.
import { EmbeddingClient } from '../dist/index.js';

const FORMATS = ['array', 'float32', 'int8', 'ubinary'];
const rounds = Number(process.argv[2] ?? 200);
const client = new EmbeddingClient();
const texts = Array.from({ length: 100 }, (_, i) => `Text number ${i} of those that are measured`);

const times = Object.fromEntries(FORMATS.map((format) => [format, { ms: [], cpuMs: [] }]));
let length = 0;
for (let round = -20; round < rounds; ++round) {
  for (const format of FORMATS) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const vectors = await client.embed(texts, { as: format });
    const ms = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    if (format === 'array') length = vectors[0].length;
    if (round < 0) continue; // until everything is compiled
    times[format].ms.push(ms);
    times[format].cpuMs.push((user + system) / 1000);
  }
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
console.log(`${texts.length} x ${length}, ${rounds} rounds, Node.js ${process.version}`);
const base = { ms: median(times.array.ms), cpuMs: median(times.array.cpuMs) };
for (const format of FORMATS) {
  const ms = median(times[format].ms);
  const cpuMs = median(times[format].cpuMs);
  const shown = [ms, base.ms / ms, cpuMs, base.cpuMs / cpuMs].map((value) => value.toFixed(2));
  console.log(`${format}: ${shown[0]} ms (${shown[1]}x), client's processor ${shown[2]} ms (${shown[3]}x)`);
}
