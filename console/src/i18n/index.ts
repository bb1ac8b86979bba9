import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { en } from './en';
import { ru } from './ru';
import type { Language, Text, TextKey, Values } from './text';

export type { Language, TextKey } from './text';

export const languages: Readonly<Record<Language, string>> = { en: 'EN', ru: 'RU' };
const texts: Readonly<Record<Language, Readonly<Record<TextKey, Text>>>> = { en, ru };

/** What the page says and how it writes numbers, in one language. */
export interface Words {
  readonly language: Language;
  t(key: TextKey, values?: Values): string;
  /** A whole number or one with at most so many digits after the point. */
  number(value: number, digits?: number): string;
  /** With exactly so many digits after the point, as in a column of scores. */
  fixed(value: number, digits: number): string;
  percent(share: number): string;
  bytes(count: number): string;
  /** In milliseconds, or in seconds from one on. */
  duration(seconds: number): string;
  /** A short form: 568 M. */
  compact(value: number): string;
}

export function wordsOf(language: Language): Words {
  const plural = new Intl.PluralRules(language);
  const format = (options: Intl.NumberFormatOptions) => {
    const formatter = new Intl.NumberFormat(language, options);
    return (value: number) => formatter.format(value);
  };
  // Formatters are dear to make: one for each number of digits.
  const kept = new Map<string, (value: number) => string>();
  const digitsFormat = (least: number, most: number) => {
    const key = `${least} ${most}`;
    const known = kept.get(key) ?? format({ minimumFractionDigits: least, maximumFractionDigits: most });
    kept.set(key, known);
    return known;
  };
  const number = (value: number, digits = 0) => digitsFormat(0, digits)(value);
  return {
    language,
    t(key, values = {}) {
      const text = texts[language][key];
      const form = typeof text === 'string' ? text : (text[plural.select(Number(values['n']))] ?? text.other);
      return form.replace(/\{(\w+)\}/g, (whole, name: string) => {
        const value = values[name];
        if (value === undefined) return whole;
        return typeof value === 'number' ? number(value) : value;
      });
    },
    number,
    fixed: (value, digits) => digitsFormat(digits, digits)(value),
    percent: format({ style: 'percent', maximumFractionDigits: 0 }),
    compact: format({ notation: 'compact', maximumSignificantDigits: 3 }),
    duration(seconds) {
      const isLong = seconds >= 1;
      const value = isLong ? seconds : seconds * 1000;
      const digits = isLong ? 2 : value < 10 ? 1 : 0;
      return format({ style: 'unit', unit: isLong ? 'second' : 'millisecond', maximumFractionDigits: digits })(value);
    },
    bytes(count) {
      const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];
      const power = Math.min(units.length - 1, count < 1 ? 0 : Math.floor(Math.log10(count) / 3));
      return format({ style: 'unit', unit: units[power]!, unitDisplay: 'short', maximumSignificantDigits: 3 })(
        count / 1000 ** power,
      );
    },
  };
}

/** The language of the browser's list that the page has first, else English. */
export function preferredLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const language = tag.slice(0, 2).toLowerCase();
    if (language === 'ru' || language === 'en') return language;
  }
  return 'en';
}

export const WordsContext = createContext<Words>(wordsOf('en'));
export const useWords = () => useContext(WordsContext);
