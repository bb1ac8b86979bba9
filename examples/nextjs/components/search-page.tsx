'use client';

import { useSearchParams } from 'next/navigation';
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { type UiLanguage, languageName, messagesOf } from '@/lib/messages';
import { type Language, MOST_LETTERS } from '@/lib/types';
import { ResultList } from './result-list';
import { SearchBox } from './search-box';
import { ServiceLine } from './service-line';
import { StageLine } from './stage-line';
import { StatusPanel } from './status-panel';
import { useSearch } from './use-search';
import { type PageStatus, useStatus } from './use-status';

interface Props {
  language: UiLanguage;
  /** Of the articles. */
  languages: Language[];
  initialStatus: PageStatus;
  /** Shown while nothing is searched for. */
  children: ReactNode;
}

/** Arrow keys go from the box to the results and among them, Escape back to the box. */
function moveFocus(event: KeyboardEvent<HTMLElement>, box: HTMLInputElement | null): void {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>('#results h2 a')];
  const at = links.indexOf(document.activeElement as HTMLAnchorElement);
  const inBox = document.activeElement === box;
  if (!inBox && at < 0) return;
  if (event.key === 'ArrowDown') links[at + 1]?.focus();
  else if (event.key === 'ArrowUp' && at > 0) links[at - 1]?.focus();
  else if ((event.key === 'ArrowUp' || event.key === 'Escape') && at >= 0) box?.focus();
  else return;
  event.preventDefault();
}

/** The search: everything on the page that changes. */
export function SearchPage({ language, languages, initialStatus, children }: Props) {
  const messages = messagesOf(language);
  const box = useRef<HTMLInputElement>(null);
  // Of the address, not of what the server made the page for: who comes back finds it as it was left.
  const address = useSearchParams();
  const [text, setText] = useState((address.get('q') ?? '').slice(0, MOST_LETTERS));
  const [filter, setFilter] = useState<Language | ''>(languages.find((each) => each === address.get('in')) ?? '');
  const [status, setStatus] = useStatus(initialStatus);
  const query = text.trim();
  const ready = status.state === 'ready';
  const { results, busy } = useSearch({ query, filter, ready, onStatus: setStatus });
  const stale = results !== null && (results.query !== query || results.filter !== filter);
  // Those of the query before bridge the moment until the next are there, which may not come for a while.
  const shown = query !== '' && (ready || !stale) ? results : null;

  // The address always leads back to what is seen.
  useEffect(() => {
    const parameters = new URLSearchParams({ ...(query && { q: query }), ...(filter && { in: filter }) });
    const next = parameters.size > 0 ? `/?${parameters}` : '/';
    if (next !== window.location.pathname + window.location.search) window.history.replaceState(null, '', next);
  }, [query, filter]);

  useEffect(() => {
    const toBox = (event: globalThis.KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.closest('input, textarea, [contenteditable]');
      if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      box.current?.focus();
      box.current?.select();
    };
    document.addEventListener('keydown', toBox);
    return () => document.removeEventListener('keydown', toBox);
  }, []);

  return (
    <main onKeyDown={(event) => moveFocus(event, box.current)}>
      <h1>{messages.title}</h1>
      <p className="tagline">{messages.tagline}</p>
      <SearchBox box={box} messages={messages} text={text} busy={busy} onText={setText} />
      <fieldset className="filter">
        <legend className="hidden">{messages.languageFilter}</legend>
        {['', ...languages].map((code) => (
          <label key={code}>
            <input type="radio" name="in" value={code} checked={filter === code} onChange={() => setFilter(code)} />
            <span>{code === '' ? messages.allLanguages : languageName(code, language)}</span>
          </label>
        ))}
      </fieldset>
      <StatusPanel status={status} messages={messages} waiting={query !== ''} />
      <div id="results" tabIndex={-1}>
        {shown ? (
          <>
            <StageLine status={status} results={shown} messages={messages} />
            <ResultList results={shown} stale={stale} language={language} />
          </>
        ) : null}
        {query === '' ? (
          <>
            <p className="examples">
              <span>{messages.try}:</span>
              {messages.examples.map((example) => (
                <button key={example} type="button" onClick={() => setText(example)}>
                  {example}
                </button>
              ))}
            </p>
            {children}
          </>
        ) : null}
      </div>
      <ServiceLine status={status} messages={messages} />
    </main>
  );
}
