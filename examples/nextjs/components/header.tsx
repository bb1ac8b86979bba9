'use client';

import Link from 'next/link';
import { useRouter } from 'next/navigation';
import { type UiLanguage, messagesOf } from '@/lib/messages';

const YEAR_S = 365 * 24 * 3600;

function remember(cookie: string, value: string): void {
  document.cookie = `${cookie}=${value}; path=/; max-age=${YEAR_S}; samesite=lax`;
}

/** The name, and the switches of language and theme. */
export function Header({ language }: { language: UiLanguage }) {
  const router = useRouter();
  const messages = messagesOf(language);
  const other: UiLanguage = language === 'en' ? 'ru' : 'en';

  const setLanguage = () => {
    remember('ui-language', other);
    router.refresh();
  };
  const setTheme = (theme: 'light' | 'dark') => {
    remember('theme', theme);
    document.documentElement.dataset.theme = theme;
  };

  return (
    <header className="header">
      <a className="skip" href="#results">
        {messages.skip}
      </a>
      <Link className="brand" href="/">
        <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
          <rect width="32" height="32" rx="9" fill="#3b4fd8" />
          <g fill="none" stroke="#fff" strokeWidth="2.4" strokeLinecap="round">
            <circle cx="14" cy="14" r="7" />
            <path d="m19.5 19.5 5.5 5.5" />
          </g>
          <circle cx="14" cy="14" r="2.2" fill="#ffd84d" />
        </svg>
        embedding-service
      </Link>
      <div className="switches">
        <button className="plain" type="button" lang={other} onClick={setLanguage}>
          {messages.otherLanguageName}
        </button>
        {/* Only the one that changes something is shown; which that is, the style sheet knows. */}
        <button
          className="plain to-light"
          type="button"
          aria-label={messages.theme.light}
          title={messages.theme.light}
          onClick={() => setTheme('light')}
        >
          <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" className="line">
            <circle cx="12" cy="12" r="4" />
            <path d="M12 3v2m0 14v2M3 12h2m14 0h2M5.6 5.6 7 7m10 10 1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4" />
          </svg>
        </button>
        <button
          className="plain to-dark"
          type="button"
          aria-label={messages.theme.dark}
          title={messages.theme.dark}
          onClick={() => setTheme('dark')}
        >
          <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" className="line">
            <path d="M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5Z" />
          </svg>
        </button>
      </div>
    </header>
  );
}
