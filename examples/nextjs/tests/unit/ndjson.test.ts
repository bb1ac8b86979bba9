import { expect, it } from 'vitest';
import { readLines, writeLines } from '@/lib/ndjson';

/** The stream's bytes again in pieces of so many. */
function cut(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return new ReadableStream({
    start(controller) {
      for (let i = 0; i < bytes.length; i += size) controller.enqueue(bytes.slice(i, i + size));
      controller.close();
    },
  });
}

async function all<T>(values: AsyncGenerator<T>): Promise<T[]> {
  const result: T[] = [];
  for await (const value of values) result.push(value);
  return result;
}

it('reads lines wherever the network cuts them, in the middle of a letter too', async () => {
  const values = [{ a: 'привет' }, { b: 'line\nbreak' }, 3];
  const text = values.map((value) => JSON.stringify(value)).join('\n');
  for (let size = 1; size < 12; size++) {
    expect(await all(readLines(cut(text, size)))).toEqual(values);
    expect(await all(readLines(cut(`${text}\n`, size)))).toEqual(values);
  }
});

it('reads what it writes', async () => {
  async function* values() {
    yield { first: 'ё' };
    yield [2];
  }
  expect(await all(readLines(writeLines(values(), () => undefined)))).toEqual([{ first: 'ё' }, [2]]);
});

it('tells the writer when nobody reads on', async () => {
  let cancelled = false;
  async function* endless() {
    for (let i = 0; ; i++) yield i;
  }
  for await (const value of readLines<number>(writeLines(endless(), () => (cancelled = true)))) {
    if (value === 2) break;
  }
  expect(cancelled).toBe(true);
});
