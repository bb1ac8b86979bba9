import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { connect } from './api/client';
import { preferredLanguage, WordsContext, wordsOf, type Language } from './i18n';
import { Editor } from './parts/editor';
import { Header } from './parts/header';
import { KeyForm } from './parts/key';
import { StateNotice } from './parts/notice';
import { Status } from './parts/status';
import { Tabs, type View } from './parts/tabs';
import { isReplaceable, samples } from './samples';
import { useKept, useKeptInTab, useTheme } from './settings';
import { MapView } from './views/map';
import { SearchView } from './views/search';
import { SimilarityView } from './views/similarity';
import { TokensView } from './views/tokens';
import { useComparison, useSearch, useTokens } from './work';
import { useServer } from './watch';

/** More lines make no picture that a person can read. */
export const MOST_LINES = 100;

const base = new URL('.', document.baseURI).href;

export function App() {
  const [language, setLanguage] = useKept<Language>('language', (was) =>
    was === 'en' || was === 'ru' ? was : preferredLanguage(navigator.languages),
  );
  const words = useMemo(() => wordsOf(language), [language]);
  const [theme, setTheme] = useTheme();
  const [key, setKey] = useKeptInTab<string | undefined>('key', (was) => was);
  const [text, setText] = useKeptInTab<string>('texts', (was) => was ?? '');
  /** What a sample, or Clear, took the place of. */
  const [replaced, setReplaced] = useKeptInTab<string | undefined>('replaced', (was) => was);
  const [view, setView] = useState<View>('similarity');
  const [query, setQuery] = useState('');
  const [modelId, setModelId] = useState<string>();

  const [attempt, setAttempt] = useState(0);

  const client = useMemo(() => connect(base, key), [key, attempt]);
  const { state, info, history } = useServer(client);
  const models = info?.models ?? [];
  const embedders = models.filter((model) => model.kind === 'embedding');
  const model = embedders.find((one) => one.id === modelId) ?? embedders[0];

  const written = useMemo(() => text.split('\n').map((line) => line.trim()).filter((line) => line !== ''), [text]);
  const lines = useMemo(() => written.slice(0, MOST_LINES), [written]);
  const comparison = useComparison(client, info);
  const search = useSearch(client, info);
  const tokens = useTokens(client, info);

  useEffect(() => {
    document.documentElement.lang = language;
    document.title = `${words.t('title')} · embedding-service`;
  }, [language, words]);

  /** Puts another text into the editor, and keeps the one that a person has written. */
  function replaceText(next: string) {
    if (!isReplaceable(text)) setReplaced(text);
    else if (next === replaced) setReplaced(undefined);
    setText(next);
  }

  function takeSample(from: Language) {
    const sample = samples[from];
    replaceText(sample.texts.join('\n'));
    if (query === '' || Object.values(samples).some((one) => one.query === query)) setQuery(sample.query);
    if (model !== undefined) comparison.run(sample.texts, model);
  }

  // Where the results stand below the texts they are brought into sight, once for each comparison.
  const results = useRef<HTMLElement>(null);
  useEffect(() => {
    const element = results.current;
    if (comparison.value !== undefined && element !== null && element.getBoundingClientRect().top > innerHeight * 0.7) {
      element.scrollIntoView({ block: 'start' });
    }
  }, [comparison.value]);

  const usable = state.kind === 'ready';
  const shared = { lines, model, usable };
  return (
    <WordsContext.Provider value={words}>
      <a class="skip" href="#texts">{words.t('skip')}</a>
      <Header
        state={state}
        version={info?.version}
        language={language}
        onLanguage={setLanguage}
        theme={theme}
        onTheme={setTheme}
        onForgetKey={key === undefined ? undefined : () => setKey(undefined)}
      />
      <main>
        {/* Nothing until the server has said what it is: what came first would be pushed down. */}
        {state.kind === 'connecting' && info === undefined ? null : state.kind === 'key' ? (
          <KeyForm
            wrong={key !== undefined}
            onKey={(given) => {
              setKey(given);
              setAttempt((n) => n + 1);
            }}
          />
        ) : (
          <>
            <StateNotice state={state} base={client.base} />
            {info !== undefined && <Status info={info} history={history} live={usable} />}
            <div class="bench">
              <Editor
                text={text}
                onText={setText}
                onReplace={replaceText}
                replaced={replaced}
                written={written.length}
                most={MOST_LINES}
                onSample={takeSample}
                embedders={embedders}
                model={model}
                onModel={setModelId}
                onCompare={() => {
                  if (model !== undefined) comparison.run(lines, model);
                  if (view === 'search' || view === 'tokens') setView('similarity');
                }}
                usable={usable}
                busy={comparison.busy}
              />
              <section ref={results} class="results" aria-label={words.t('views')}>
                <Tabs view={view} onView={setView} />
                <div role="tabpanel" id={`panel-${view}`} aria-labelledby={`tab-${view}`} class="panel" tabIndex={-1}>
                  {view === 'similarity' && <SimilarityView {...shared} task={comparison} client={client} />}
                  {view === 'map' && <MapView {...shared} task={comparison} client={client} />}
                  {view === 'search' && (
                    <SearchView {...shared} models={models} query={query} onQuery={setQuery} task={search} client={client} />
                  )}
                  {view === 'tokens' && <TokensView {...shared} models={models} task={tokens} client={client} />}
                </div>
              </section>
            </div>
          </>
        )}
      </main>
    </WordsContext.Provider>
  );
}
