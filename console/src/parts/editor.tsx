import { useRef } from 'preact/hooks';
import type { Model } from '../api/types';
import { useWords, type Language } from '../i18n';
import { Select } from './choice';

interface Props {
  readonly text: string;
  onText(text: string): void;
  /** For texts that nobody has typed: those that were there can be brought back. */
  onReplace(text: string): void;
  readonly replaced: string | undefined;
  /** Lines that have something in them, and how many of them the page takes. */
  readonly written: number;
  readonly most: number;
  onSample(language: Language): void;
  readonly embedders: readonly Model[];
  readonly model: Model | undefined;
  onModel(id: string): void;
  onCompare(): void;
  readonly usable: boolean;
  readonly busy: boolean;
}

/** Where texts are pasted, and compared from. */
export function Editor(props: Props) {
  const { text, onText, onReplace, replaced, written, most, onSample, embedders, model, onModel, onCompare, usable, busy } = props;
  const { t } = useWords();
  const field = useRef<HTMLTextAreaElement>(null);
  // The buttons that call this are gone afterwards.
  const replaceBy = (next: string) => {
    onReplace(next);
    field.current?.focus();
  };
  const ready = usable && model !== undefined && written >= 2;
  return (
    <section class="card editor" aria-labelledby="texts-title">
      <div class="headline">
        <h2 id="texts-title">{t('texts')}</h2>
        <p class="small" id="texts-hint">
          {t('textsHint')} {t('textsCount', { n: written })}
        </p>
      </div>
      <textarea
        ref={field}
        id="texts"
        aria-labelledby="texts-title"
        aria-describedby="texts-hint"
        placeholder={t('textsPlaceholder')}
        spellcheck={false}
        rows={11}
        value={text}
        onInput={(event) => onText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.metaKey || event.ctrlKey) && ready) onCompare();
        }}
      />
      {written > most && <p class="hint">{t('textsTooMany', { most, n: written })}</p>}
      <div class="samples" role="group" aria-label={t('sample')}>
        <span class="small">{t('sample')}</span>
        <button type="button" lang="en" onClick={() => onSample('en')}>
          {t('sampleEn')}
        </button>
        <button type="button" lang="ru" onClick={() => onSample('ru')}>
          {t('sampleRu')}
        </button>
        {replaced !== undefined && (
          <button type="button" class="link" onClick={() => replaceBy(replaced)}>
            {t('bringBack')}
          </button>
        )}
        {text !== '' && (
          <button type="button" class="link" onClick={() => replaceBy('')}>
            {t('clear')}
          </button>
        )}
      </div>
      {embedders.length > 1 && (
        <Select
          label={t('model')}
          value={model?.id ?? ''}
          options={embedders.map(({ id }) => ({ value: id, text: id }))}
          onChange={onModel}
        />
      )}
      <button type="button" class="primary" disabled={!ready} aria-busy={busy} onClick={onCompare}>
        {busy ? t('computing') : t('compute')}
      </button>
    </section>
  );
}
