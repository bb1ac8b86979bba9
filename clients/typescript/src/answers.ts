import { invalid } from './errors.js';
import { type Answer, invalidAnswer } from './exchange.js';

/** What vectors may come as, and what each is. */
export interface EmbeddingFormats {
  /** Numbers, as JSON has them. */
  array: number[];
  /** From the bytes that the service sends: the same vectors, three to four times as fast. */
  float32: Float32Array;
  /** 255 steps over [-r, r], r = 8 / sqrt(dimension) but at most 1. A quarter of the size of `float32`. */
  int8: Int8Array;
  /** The steps of `int8`, counted from 0. */
  uint8: Uint8Array;
  /** The bits of `ubinary`, each byte less 128. */
  binary: Int8Array;
  /** One bit a component, 1 for those above 0, the first in the highest bit of the first byte. */
  ubinary: Uint8Array;
}

export type EmbeddingFormat = keyof EmbeddingFormats;

/** Token ids, as decimal text, and the weight of each: `{ "83": 1.03 }`. */
export type SparseVector = Record<string, number>;

export interface Ranked {
  /** The document's place in the call. */
  index: number;
  /** Above 0 to 1 by a cross-encoder; a cosine or a sum of such by an embedding model. Higher is better. */
  score: number;
  document: string;
}

/** The service's vectors are floats, or one of these. */
const INTEGERS = { int8: Int8Array, uint8: Uint8Array, binary: Int8Array, ubinary: Uint8Array };

/** How requests call a format; undefined for floats. Throws `Validation`. */
export function outputDtype(format: EmbeddingFormat): string | undefined {
  if (format === 'array' || format === 'float32') return undefined;
  if (Object.hasOwn(INTEGERS, format)) return format;
  const all = ['array', 'float32', ...Object.keys(INTEGERS)];
  throw invalid(`as: expected one of ${all.join(', ')}, got ${JSON.stringify(format)}`);
}

/** The field `name` of an answer that is an object. */
export function fieldOf(answer: Answer, name: string): unknown {
  return (answer.json as Record<string, unknown> | null | undefined)?.[name];
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'number');
}

/** `value`, if it is `count` vectors of one length. Throws `InvalidAnswer`. */
export function vectorsOf(answer: Answer, value: unknown, count: number): number[][] {
  const good = Array.isArray(value) && value.length === count && value.every(isNumbers);
  if (!good) throw invalidAnswer(answer, `no ${count} embeddings`);
  const vectors = value as number[][];
  if (vectors.some((vector) => vector.length !== vectors[0]?.length)) {
    throw invalidAnswer(answer, 'embeddings of different lengths');
  }
  return vectors;
}

/** Vectors out of bytes: row-major little-endian f32, whose shape the header `x-shape` tells. */
function fromBytes(answer: Answer, bytes: ArrayBuffer, count: number): Float32Array[] {
  const [rows, columns] = (answer.headers.get('x-shape') ?? '').split(',').map(Number);
  if (rows !== count || !columns || rows * columns * 4 !== bytes.byteLength) {
    throw invalidAnswer(answer, `no ${count} embeddings`);
  }
  // Each with a buffer of its own: databases are given `vector.buffer`.
  const all = new Float32Array(bytes);
  return Array.from({ length: rows }, (_, i) => all.slice(i * columns, (i + 1) * columns));
}

/** The dense vectors of an answer of `POST /embed`, in the format that was asked for. */
export function embeddingsOf<F extends EmbeddingFormat>(
  answer: Answer,
  format: F,
  count: number,
): EmbeddingFormats[F][] {
  return embeddings(answer, format, count) as EmbeddingFormats[F][];
}

function embeddings(
  answer: Answer,
  format: EmbeddingFormat,
  count: number,
): EmbeddingFormats[EmbeddingFormat][] {
  if (answer.bytes) {
    const vectors = fromBytes(answer, answer.bytes, count);
    return format === 'float32' ? vectors : vectors.map((vector) => Array.from(vector));
  }
  const vectors = vectorsOf(answer, fieldOf(answer, 'embeddings'), count);
  if (format === 'array') return vectors;
  if (format === 'float32') return vectors.map((vector) => Float32Array.from(vector));
  return vectors.map((vector) => {
    const integers = INTEGERS[format].from(vector);
    if (integers.some((each, i) => each !== vector[i]))
      throw invalidAnswer(answer, `no ${format} embeddings`);
    return integers;
  });
}

/** The lexical weights of `count` texts. Throws `InvalidAnswer`. */
export function sparseOf(answer: Answer, count: number): SparseVector[] {
  const value = fieldOf(answer, 'lexical_weights');
  const isWeights = (each: unknown): boolean =>
    typeof each === 'object' &&
    each !== null &&
    Object.values(each).every((weight) => typeof weight === 'number');
  if (Array.isArray(value) && value.length === count && value.every(isWeights))
    return value as SparseVector[];
  throw invalidAnswer(answer, `no ${count} lexical_weights`);
}

/** The ColBERT vectors of `count` texts, one for each token but the first. Throws `InvalidAnswer`. */
export function colbertOf(answer: Answer, count: number): number[][][] {
  const value = fieldOf(answer, 'colbert_vecs');
  const isRows = (each: unknown): boolean => Array.isArray(each) && each.every(isNumbers);
  if (Array.isArray(value) && value.length === count && value.every(isRows)) return value as number[][][];
  throw invalidAnswer(answer, `no ${count} colbert_vecs`);
}

/** The score of each of `count` documents, in their order, out of a ranking of all. Throws `InvalidAnswer`. */
export function scoresOf(answer: Answer, count: number): number[] {
  const results = fieldOf(answer, 'results');
  const scores = new Array<number>(count).fill(NaN);
  if (Array.isArray(results)) {
    for (const each of results as ({ index?: unknown; relevance_score?: unknown } | null)[]) {
      if (typeof each?.index === 'number' && typeof each.relevance_score === 'number') {
        scores[each.index] = each.relevance_score;
      }
    }
  }
  if (scores.length === count && scores.every((score) => !Number.isNaN(score))) return scores;
  throw invalidAnswer(answer, `no scores of ${count} documents`);
}

/** An answer that is itself an array of `count` numbers. Throws `InvalidAnswer`. */
export function numbersOf(answer: Answer, count: number): number[] {
  if (isNumbers(answer.json) && answer.json.length === count) return answer.json;
  throw invalidAnswer(answer, `no ${count} numbers`);
}
