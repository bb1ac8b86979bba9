import { useEffect, useRef, useState } from 'preact/hooks';
import { useWords } from '../i18n';

interface Props {
  /** Whether a key was given, and refused. */
  readonly wrong: boolean;
  onKey(key: string): void;
}

export function KeyForm({ wrong, onKey }: Props) {
  const { t } = useWords();
  const [key, setKey] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), [wrong]);
  return (
    <form
      class="card key"
      onSubmit={(event) => {
        event.preventDefault();
        if (key.trim() !== '') onKey(key.trim());
      }}
    >
      <h2>{t('keyTitle')}</h2>
      <p>{t('keyText')}</p>
      <label class="label" for="key">
        {t('keyLabel')}
      </label>
      <div class="row">
        <input
          ref={field}
          id="key"
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={key}
          aria-invalid={wrong}
          aria-describedby={wrong ? 'key-wrong' : undefined}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
        <button type="submit" class="primary">
          {t('keyUse')}
        </button>
      </div>
      {wrong && (
        <p id="key-wrong" class="error" role="alert">
          {t('keyWrong')}
        </p>
      )}
    </form>
  );
}
