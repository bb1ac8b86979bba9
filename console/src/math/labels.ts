export interface Label {
  readonly x: number;
  readonly y: number;
  readonly anchor: 'start' | 'end' | 'middle';
  readonly text: string;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const LETTER_WIDTH = 6.8;
const LINE = 16;
const RADIUS = 14;
const MOST_LETTERS = 34;
const LEAST_LETTERS = 12;

const overlap = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/**
 * Where beside each point its text can stand without covering another point or text, in pixels.
 * A text that has no room is cut, and left out if that is not enough: its number stands in the point.
 */
export function placeLabels(
  places: readonly (readonly [number, number])[],
  texts: readonly string[],
  width: number,
  height: number,
): (Label | undefined)[] {
  const taken: Box[] = places.map(([x, y]) => ({ left: x - RADIUS, right: x + RADIUS, top: y - RADIUS, bottom: y + RADIUS }));
  const points = taken.length;
  return places.map(([x, y], i) => {
    const whole = texts[i] ?? '';
    for (const most of [MOST_LETTERS, 22, LEAST_LETTERS]) {
      const text = whole.length > most ? `${whole.slice(0, most - 1).trimEnd()}…` : whole;
      const w = text.length * LETTER_WIDTH;
      const candidates: readonly (Label & { left: number })[] = [
        { x: x + RADIUS + 2, y: y + 4, anchor: 'start', text, left: x + RADIUS + 2 },
        { x: x - RADIUS - 2, y: y + 4, anchor: 'end', text, left: x - RADIUS - 2 - w },
        { x, y: y - RADIUS - 4, anchor: 'middle', text, left: x - w / 2 },
        { x, y: y + RADIUS + 13, anchor: 'middle', text, left: x - w / 2 },
      ];
      for (const { left, ...label } of candidates) {
        const box = { left, right: left + w, top: label.y - 12, bottom: label.y - 12 + LINE };
        if (box.left < 2 || box.right > width - 2 || box.top < 2 || box.bottom > height - 2) continue;
        if (taken.some((other, at) => (at >= points || at !== i) && overlap(box, other))) continue;
        taken.push(box);
        return label;
      }
    }
    return undefined;
  });
}
