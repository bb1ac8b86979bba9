/**
 * Reciprocal rank fusion: one order out of several, by places alone, since a cosine and a sum of lexical
 * weights have no common scale. An id gets 1 / (60 + place) of each order that has it. 60 is the constant of
 * Cormack, Clarke and Büttcher (SIGIR 2009): first places count, but none of them decides alone.
 */
export function fuse(orders: readonly (readonly string[])[], constant = 60): string[] {
  const scores = new Map<string, number>();
  for (const order of orders) {
    order.forEach((id, place) => scores.set(id, (scores.get(id) ?? 0) + 1 / (constant + place + 1)));
  }
  return [...scores].sort(([, a], [, b]) => b - a).map(([id]) => id);
}

/** The first of each group, in order. */
export function firstOfEach<T>(items: readonly T[], groupOf: (item: T) => string): T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const group = groupOf(item);
    if (seen.has(group)) return false;
    seen.add(group);
    return true;
  });
}
