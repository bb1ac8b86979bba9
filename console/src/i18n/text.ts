import type { en } from './en';

/** A text, with {names} for what is put in; or its forms by number (Intl.PluralRules, by `n`). */
export type Text = string | ({ readonly other: string } & Readonly<Partial<Record<Intl.LDMLPluralRule, string>>>);
export type TextKey = keyof typeof en;
export type Language = 'en' | 'ru';
export type Values = Readonly<Record<string, string | number>>;
