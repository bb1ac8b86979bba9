import { dot } from './vectors';

export interface Projection {
  /** Two coordinates of each vector, along the directions in which they vary the most. */
  readonly points: readonly (readonly [number, number])[];
  /** Of all variance, what the two directions hold: 0 to 1; 1 where there is none at all. */
  readonly share: number;
}

function centred(vectors: readonly Float32Array[]): Float32Array[] {
  const size = vectors[0]?.length ?? 0;
  const mean = new Float32Array(size);
  for (const vector of vectors) for (let i = 0; i < size; i += 1) mean[i]! += vector[i]! / vectors.length;
  return vectors.map((vector) => vector.map((value, i) => value - mean[i]!));
}

/**
 * The eigenvector of the largest eigenvalue of a symmetric matrix without negative ones, by power
 * iteration. 500 steps are enough for a picture: where two eigenvalues are so close that they are
 * not, every direction between them shows as much.
 */
function leading(matrix: readonly Float64Array[]): { vector: Float64Array; value: number } {
  const n = matrix.length;
  // Begins with no symmetry that could be orthogonal to the answer, and equal on every run.
  let vector = Float64Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898 + 1));
  let value = 0;
  for (let step = 0; step < 500; step += 1) {
    const next = new Float64Array(n);
    for (let i = 0; i < n; i += 1) {
      const row = matrix[i]!;
      let sum = 0;
      for (let j = 0; j < n; j += 1) sum += row[j]! * vector[j]!;
      next[i] = sum;
    }
    const length = Math.hypot(...next);
    if (length < 1e-12) return { vector: new Float64Array(n), value: 0 };
    const before = value;
    value = length / Math.hypot(...vector);
    vector = next.map((component) => component / length);
    if (Math.abs(value - before) < 1e-12 * value) break;
  }
  return { vector, value };
}

/**
 * Principal component analysis by the vectors' Gram matrix, which is small: texts by texts, not
 * dimensions by dimensions. The same as classical multidimensional scaling of their distances.
 */
export function project(vectors: readonly Float32Array[]): Projection {
  const rows = centred(vectors);
  const gram = rows.map((a) => Float64Array.from(rows, (b) => dot(a, b)));
  const total = gram.reduce((sum, row, i) => sum + row[i]!, 0);
  const axes = [0, 1].map(() => {
    const { vector, value } = leading(gram);
    for (let i = 0; i < gram.length; i += 1) {
      for (let j = 0; j < gram.length; j += 1) gram[i]![j]! -= value * vector[i]! * vector[j]!;
    }
    return { coordinates: vector.map((component) => component * Math.sqrt(value)), value };
  });
  return {
    points: rows.map((_, i) => [axes[0]!.coordinates[i]!, axes[1]!.coordinates[i]!] as const),
    share: total < 1e-9 ? 1 : Math.min(1, axes.reduce((sum, axis) => sum + axis.value, 0) / total),
  };
}
