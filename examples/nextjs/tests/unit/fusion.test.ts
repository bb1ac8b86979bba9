import { describe, expect, it } from 'vitest';
import { firstOfEach, fuse } from '@/lib/fusion';

describe('fuse', () => {
  it('keeps the order of a single list', () => expect(fuse([['a', 'b', 'c']])).toEqual(['a', 'b', 'c']));

  it('puts first what both have near the top', () => {
    expect(fuse([['a', 'b', 'c'], ['d', 'b', 'e']])[0]).toBe('b');
  });

  it('keeps what only one has', () => expect(fuse([['a'], ['b', 'c']]).sort()).toEqual(['a', 'b', 'c']));

  it('adds reciprocals of places', () => {
    // x: 1/62 + 1/61 = 0.0325; y: 1/61 + 1/64 = 0.0320; z: 1/63 + 1/63 = 0.0317.
    expect(fuse([['y', 'x', 'z'], ['x', 'q', 'z', 'y']]).slice(0, 3)).toEqual(['x', 'y', 'z']);
  });
});

describe('firstOfEach', () => {
  it('takes the best passage of each article', () => {
    expect(firstOfEach(['a1', 'b1', 'a2', 'c1', 'b2'], (item) => item.slice(0, 1))).toEqual(['a1', 'b1', 'c1']);
  });
});
