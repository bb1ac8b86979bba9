import type { Piece } from './types';

const WORD = /[\p{L}\p{N}]+/gu;

// Words that every text has.
const COMMON = new Set(
  (
    'the and for not but are was with from into how what why when where who does did can you your this that has have ' +
    'как что где кто чем чего или для это так его при без под над про мой моя моё мои если когда почему нет есть'
  ).split(' '),
);

function plain(word: string): string {
  return word.toLowerCase().replaceAll('ё', 'е');
}

/** Whether two words are forms of one, as far as that can be told without a dictionary: by how they begin. */
export function sameWord(a: string, b: string): boolean {
  const longest = Math.max(a.length, b.length);
  let common = 0;
  while (common < longest && a[common] === b[common]) common++;
  return common === longest || (common >= 4 && common / longest >= 0.57);
}

/** The words of a query that are worth marking. */
export function wordsOf(query: string): string[] {
  const words = (query.match(WORD) ?? []).map(plain);
  return words.filter((word) => word.length >= 3 && !COMMON.has(word));
}

/** Parts a text into pieces, those marked that are a form of one of the words. Together they are the text. */
export function highlight(text: string, words: readonly string[]): Piece[] {
  const pieces: Piece[] = [];
  const add = (part: string, marked: boolean) => {
    const last = pieces.at(-1);
    if (last?.marked === marked) last.text += part;
    else if (part !== '') pieces.push({ text: part, marked });
  };
  let end = 0;
  for (const match of text.matchAll(WORD)) {
    add(text.slice(end, match.index), false);
    const word = plain(match[0]);
    add(match[0], words.some((each) => sameWord(each, word)));
    end = match.index + match[0].length;
  }
  add(text.slice(end), false);
  return pieces;
}
