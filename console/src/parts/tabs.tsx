import { useWords, type TextKey } from '../i18n';

export type View = 'similarity' | 'map' | 'search' | 'tokens';

const views: readonly (readonly [View, TextKey])[] = [
  ['similarity', 'viewSimilarity'],
  ['map', 'viewMap'],
  ['search', 'viewSearch'],
  ['tokens', 'viewTokens'],
];

export function Tabs({ view, onView }: { readonly view: View; onView(view: View): void }) {
  const { t } = useWords();
  function onKeyDown(event: KeyboardEvent) {
    const at = views.findIndex(([name]) => name === view);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: views.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = views[(to + views.length) % views.length]![0];
    onView(next);
    document.getElementById(`tab-${next}`)?.focus();
  }
  return (
    <div role="tablist" aria-label={t('views')} class="tabs" onKeyDown={onKeyDown}>
      {views.map(([name, text]) => (
        <button
          key={name}
          type="button"
          role="tab"
          id={`tab-${name}`}
          aria-selected={name === view}
          aria-controls={name === view ? `panel-${name}` : undefined}
          tabIndex={name === view ? 0 : -1}
          onClick={() => onView(name)}
        >
          {t(text)}
        </button>
      ))}
    </div>
  );
}
