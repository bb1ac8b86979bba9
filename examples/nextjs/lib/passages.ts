import { createHash } from 'node:crypto';
import type { Article } from './articles';

/**
 * Letters in a passage, at most: two or three sentences. Short passages have one subject, so that their
 * vectors are clear, and can be shown whole as the reason why an article was found.
 */
export const PASSAGE_LETTERS = 320;

/** A part of an article: what is embedded, found and shown. */
export interface Passage {
  /** The article's, `#`, and the place in it from 0: `en/help/reset-password#0`. */
  id: string;
  article: Article;
  body: string;
  /** Changes when what is embedded does. */
  hash: string;
}

/** Parts a text at the ends of sentences, or of words where a sentence alone is too long. */
export function splitText(text: string, language: string, most: number): string[] {
  const sentences = Array.from(
    new Intl.Segmenter(language, { granularity: 'sentence' }).segment(text),
    ({ segment }) => segment.trim(),
  ).flatMap((sentence) => (sentence.length <= most ? [sentence] : packed(sentence.split(/\s+/), most)));
  return packed(sentences, most);
}

/** Joins neighbours with a space as long as they fit. What is too long by itself stays so. */
function packed(parts: string[], most: number): string[] {
  const result: string[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (last !== undefined && last.length + 1 + part.length <= most) result[result.length - 1] = `${last} ${part}`;
    else if (part !== '') result.push(part);
  }
  return result;
}

/** What is embedded and reranked: the title says what the passage speaks of where it does not itself. */
export function embeddedText(title: string, body: string): string {
  return `${title}\n${body}`;
}

export function passagesOf(article: Article): Passage[] {
  const bodies = article.paragraphs.flatMap((paragraph) => splitText(paragraph, article.language, PASSAGE_LETTERS));
  return bodies.map((body, place) => ({
    id: `${article.id}#${place}`,
    article,
    body,
    hash: createHash('sha256').update(embeddedText(article.title, body)).digest('hex'),
  }));
}
