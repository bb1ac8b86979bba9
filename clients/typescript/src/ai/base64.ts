import { type Answer, invalidAnswer } from '../exchange.js';

/** Little-endian f32 out of base64. */
function decoded(base64: string): number[] {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
  return Array.from(new Float32Array(bytes.buffer));
}

interface Item {
  index?: unknown;
  embedding?: unknown;
}

/** The vectors of an answer of `POST /v1/embeddings` to `"encoding_format": "base64"`. */
export function base64Vectors(answer: Answer, count: number): number[][] {
  const data = (answer.json as { data?: unknown } | null)?.data;
  const vectors = new Array<number[]>(count);
  try {
    for (const { index, embedding } of data as Item[]) {
      vectors[index as number] = decoded(embedding as string);
    }
  } catch (error) {
    throw invalidAnswer(answer, `no embeddings in base64 (${String(error)})`);
  }
  const length = vectors[0]?.length;
  for (let i = 0; i < count; ++i) {
    if (!length || vectors[i]?.length !== length)
      throw invalidAnswer(answer, `no ${count} embeddings in base64`);
  }
  if (vectors.length !== count) throw invalidAnswer(answer, `no ${count} embeddings in base64`);
  return vectors;
}
