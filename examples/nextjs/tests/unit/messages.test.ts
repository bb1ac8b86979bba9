import { expect, it } from 'vitest';
import { languageName, messagesOf, preferredLanguage } from '@/lib/messages';

it('counts as each language does', () => {
  const { results } = messagesOf('ru');
  expect([1, 2, 5, 11, 21].map(results)).toEqual([
    '1 результат',
    '2 результата',
    '5 результатов',
    '11 результатов',
    '21 результат',
  ]);
  expect([0, 1, 2].map(messagesOf('en').results)).toEqual(['0 results', '1 result', '2 results']);
});

it('has no text that was left in the other language', () => {
  const texts = (value: unknown): string[] =>
    typeof value === 'string' ? [value] : value && typeof value === 'object' ? Object.values(value).flatMap(texts) : [];
  const { otherLanguageName, examples, ...ru } = messagesOf('ru');
  // Names and commands stay as they are; letters of both alphabets in one word are a slip.
  for (const text of texts(ru)) expect(text).toMatch(/[а-яё]/i);
  for (const text of texts({ ru, otherLanguageName, examples })) {
    expect(text).not.toMatch(/[а-яё][a-z]|[a-z][а-яё]/i);
  }
});

it('follows the browser', () => {
  expect(preferredLanguage('ru-RU,ru;q=0.9,en;q=0.8')).toBe('ru');
  expect(preferredLanguage('de,en;q=0.5,ru;q=0.7')).toBe('ru');
  expect(preferredLanguage('en-GB,ru;q=0.7')).toBe('en');
  expect(preferredLanguage('de')).toBe('en');
  expect(preferredLanguage(null)).toBe('en');
});

it('names the languages of articles', () => {
  expect(languageName('en', 'ru')).toBe('английский');
  expect(languageName('ru', 'en')).toBe('Russian');
});
