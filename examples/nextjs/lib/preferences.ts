import { cookies, headers } from 'next/headers';
import { type UiLanguage, preferredLanguage } from './messages';

/** Cookies that the page's two switches set; the server reads them so that nothing changes after loading. */
export const LANGUAGE_COOKIE = 'ui-language';
export const THEME_COOKIE = 'theme';

export interface Preferences {
  language: UiLanguage;
  /** Undefined: as the system has it. */
  theme: 'light' | 'dark' | undefined;
}

export async function readPreferences(): Promise<Preferences> {
  const [jar, head] = await Promise.all([cookies(), headers()]);
  const language = jar.get(LANGUAGE_COOKIE)?.value;
  const theme = jar.get(THEME_COOKIE)?.value;
  return {
    language: language === 'en' || language === 'ru' ? language : preferredLanguage(head.get('accept-language')),
    theme: theme === 'light' || theme === 'dark' ? theme : undefined,
  };
}
