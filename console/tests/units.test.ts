import { describe, expect, test } from 'vitest';
import { countersOf, parseMetrics, quantile, ratesOf } from '../src/api/metrics';
import { preferredLanguage, wordsOf } from '../src/i18n';
import { en } from '../src/i18n/en';
import { ru } from '../src/i18n/ru';
import { placeLabels } from '../src/math/labels';
import { project } from '../src/math/pca';
import { piecesOf } from '../src/math/pieces';
import { colbertScore, cosine, lexicalScore } from '../src/math/vectors';

describe('metrics', () => {
  const text = (count: number, slow: number) => `# HELP te_queue_size Texts
te_queue_size{model="a\\"b"} 3
embedding_texts_total{key=""} ${count}
embedding_texts_total{key="alice"} 5
te_request_duration_bucket{path="/embed",status="200",le="0.1"} ${count}
te_request_duration_bucket{path="/embed",status="200",le="0.2"} ${count + slow}
te_request_duration_bucket{path="/embed",status="200",le="+Inf"} ${count + slow}
te_request_duration_bucket{path="/metrics",status="200",le="0.1"} 1000
te_request_duration_bucket{path="/metrics",status="200",le="+Inf"} 1000
`;

  test('are read with their labels', () => {
    const samples = parseMetrics(text(10, 0));
    expect(samples[0]).toEqual({ name: 'te_queue_size', labels: { model: 'a"b' }, value: 3 });
    expect(countersOf(samples, 1)).toMatchObject({ texts: 15, queue: 3 });
  });

  test('give texts a second, also over a restart', () => {
    const looks = [
      [0, 10],
      [2, 30],
      [4, 5],
    ].map(([at, count]) => countersOf(parseMetrics(text(count!, 0)), at!));
    expect(ratesOf(looks)).toEqual([10, 5]);
  });

  test('give quantiles of what was asked in between, probes left out', () => {
    const before = countersOf(parseMetrics(text(10, 0)), 0);
    const now = countersOf(parseMetrics(text(20, 10)), 2);
    expect(quantile(before, now, 0.5)).toBeCloseTo(0.1);
    expect(quantile(before, now, 0.75)).toBeCloseTo(0.15);
    expect(quantile(now, now, 0.5)).toBeUndefined();
  });
});

describe('vectors', () => {
  const f = (...values: number[]) => Float32Array.from(values);

  test('are compared', () => {
    expect(cosine(f(3, 4), f(4, 3))).toBeCloseTo(0.96);
    expect(cosine(f(0, 0), f(1, 0))).toBe(0);
    expect(lexicalScore({ '5': 0.5, '7': 1 }, { '7': 0.25, '9': 1 })).toBe(0.25);
    expect(colbertScore([f(1, 0), f(0, 1)], [f(1, 0), f(0.6, 0.8)])).toBeCloseTo(0.9);
  });

  test('are projected so that a plane is seen as it is', () => {
    // Four corners of a 4 x 2 rectangle that lies askew in three dimensions.
    const corners = [
      [0, 0],
      [4, 0],
      [4, 2],
      [0, 2],
    ].map(([x, y]) => f(x! * 0.6 + 1, x! * 0.8, y!));
    const { points, share } = project(corners);
    expect(share).toBeCloseTo(1, 5);
    const distance = (a: number, b: number) => Math.hypot(points[a]![0] - points[b]![0], points[a]![1] - points[b]![1]);
    expect(distance(0, 1)).toBeCloseTo(4, 4);
    expect(distance(1, 2)).toBeCloseTo(2, 4);
    expect(distance(0, 2)).toBeCloseTo(Math.sqrt(20), 4);
  });

  test('that are all equal stand in one point', () => {
    const { points, share } = project([f(1, 2), f(1, 2), f(1, 2)]);
    expect(points.flat().every((x) => x === 0)).toBe(true);
    expect(share).toBe(1);
  });

  test('labels cover neither each other nor points', () => {
    const places = Array.from({ length: 12 }, (_, i) => [60 + 40 * (i % 4), 60 + 30 * Math.floor(i / 4)] as const);
    const labels = placeLabels(places, places.map(() => 'a text that is much longer than there is room for'), 400, 300);
    const boxes = labels.flatMap((label) => {
      if (!label) return [];
      const width = label.text.length * 6.8;
      const left = { start: label.x, end: label.x - width, middle: label.x - width / 2 }[label.anchor];
      return [{ left, right: left + width, top: label.y - 12, bottom: label.y + 4 }];
    });
    expect(boxes.length).toBeGreaterThan(0);
    boxes.forEach((a, i) =>
      boxes.slice(i + 1).forEach((b) => {
        expect(a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom).toBe(false);
      }),
    );
  });
});

test('tokens read as the text did', () => {
  const token = (id: number, text: string, start: number, stop: number) => ({ id, text, special: false, start, stop });
  const said = (pieces: ReturnType<typeof piecesOf>) => pieces.map(({ gap, text }) => (gap ? ' ' : '') + text).join('');
  expect(said(piecesOf([token(1, 'При', 0, 3), token(2, 'вет', 3, 6), token(3, ' мир', 6, 10)]))).toBe('Привет мир');
  expect(said(piecesOf([token(1, 'hello', 0, 5), token(2, 'world', 6, 11), token(3, '!', 11, 12)]))).toBe('hello world!');
});

describe('words', () => {
  test('have their plural forms', () => {
    const { t } = wordsOf('ru');
    expect([1, 2, 5, 21, 112].map((n) => t('textsCount', { n }))).toEqual([
      '1 строка', '2 строки', '5 строк', '21 строка', '112 строк',
    ]);
    expect([1, 2].map((n) => wordsOf('en').t('textsCount', { n }))).toEqual(['1 line', '2 lines']);
  });

  test('are put in the same places in both languages', () => {
    const names = (text: (typeof en)[keyof typeof en] | (typeof ru)[keyof typeof ru]) =>
      [...new Set((typeof text === 'string' ? [text] : Object.values(text)).flatMap((form) => form.match(/\{\w+\}/g) ?? []))].sort();
    for (const key of Object.keys(en) as (keyof typeof en)[]) expect(names(ru[key]), key).toEqual(names(en[key]));
  });

  test('come in the language that the browser wants', () => {
    expect(preferredLanguage(['de-DE', 'ru-RU', 'en'])).toBe('ru');
    expect(preferredLanguage(['de'])).toBe('en');
  });

  test('have sizes and shares', () => {
    expect(wordsOf('en').bytes(2_270_000_000)).toBe('2.27 GB');
    expect(wordsOf('ru').percent(0.5)).toMatch(/^50\s%$/);
  });
});
