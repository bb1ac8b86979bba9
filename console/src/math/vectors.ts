import type { Lexical } from '../api/types';

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += a[i]! * b[i]!;
  return sum;
}

/** 0 where one of the two has no direction. */
export function cosine(a: Float32Array, b: Float32Array): number {
  const length = Math.sqrt(dot(a, a) * dot(b, b));
  return length === 0 ? 0 : dot(a, b) / length;
}

/** bge-m3's lexical score: the sum of products of the weights of tokens that both texts have. */
export function lexicalScore(a: Lexical, b: Lexical): number {
  let sum = 0;
  for (const [id, weight] of Object.entries(a)) sum += weight * (b[id] ?? 0);
  return sum;
}

/** For each row of the query its cosine with each row of the text. */
export function tokenMatches(query: readonly Float32Array[], text: readonly Float32Array[]): number[][] {
  return query.map((one) => text.map((other) => dot(one, other)));
}

/** ColBERT's score as bge-m3 defines it: the mean over the query's tokens of their best match. */
export function colbertScore(query: readonly Float32Array[], text: readonly Float32Array[]): number {
  const best = tokenMatches(query, text).map((row) => Math.max(...row));
  return best.reduce((sum, value) => sum + value, 0) / best.length;
}

/** Every pair's value; symmetric. */
export function pairs<T>(items: readonly T[], compare: (a: T, b: T) => number): number[][] {
  const table = items.map(() => new Array<number>(items.length).fill(0));
  for (let i = 0; i < items.length; i += 1) {
    for (let j = i; j < items.length; j += 1) {
      const value = compare(items[i]!, items[j]!);
      table[i]![j] = value;
      table[j]![i] = value;
    }
  }
  return table;
}
