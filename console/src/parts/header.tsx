import { languages, useWords, type Language, type TextKey } from '../i18n';
import type { Theme } from '../settings';
import type { ServerState } from '../watch';
import { Choice } from './choice';

const stateTexts: Readonly<Record<ServerState['kind'], TextKey>> = {
  connecting: 'stateConnecting',
  gone: 'stateGone',
  key: 'stateKey',
  loading: 'stateLoading',
  unhealthy: 'stateUnhealthy',
  ready: 'stateHealthy',
};

const themes: Readonly<Record<Theme, TextKey>> = { auto: 'themeAuto', light: 'themeLight', dark: 'themeDark' };

interface Props {
  readonly state: ServerState;
  readonly version: string | undefined;
  readonly language: Language;
  onLanguage(language: Language): void;
  readonly theme: Theme;
  onTheme(theme: Theme): void;
  readonly onForgetKey: (() => void) | undefined;
}

export function Header({ state, version, language, onLanguage, theme, onTheme, onForgetKey }: Props) {
  const { t } = useWords();
  return (
    <header class="top">
      <div class="brand">
        <Mark />
        <h1>
          embedding-service <span class="version">{version}</span>
        </h1>
        <p class={`pill is-${state.kind}`} role="status">
          <span class="dot" aria-hidden="true" />
          {t(stateTexts[state.kind])}
        </p>
      </div>
      <nav aria-label="embedding-service">
        <a href="docs">{t('docs')}</a>
        <a href="openapi.json">{t('openapi')}</a>
        {onForgetKey && state.kind !== 'key' && (
          <button type="button" class="link" onClick={onForgetKey}>
            {t('keyChange')}
          </button>
        )}
      </nav>
      <div class="switches">
        <Choice
          label={t('language')}
          name="language"
          value={language}
          options={Object.entries(languages).map(([value, text]) => ({ value: value as Language, text }))}
          onChange={onLanguage}
        />
        <Choice
          label={t('theme')}
          name="theme"
          value={theme}
          options={Object.entries(themes).map(([value, text]) => ({ value: value as Theme, text: t(text) }))}
          onChange={onTheme}
        />
      </div>
    </header>
  );
}

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" width="30" height="30" aria-hidden="true">
      <path d="M8 23 22 8M8 23l16 2" />
      <circle cx="8" cy="23" r="3.6" />
      <circle cx="22" cy="8" r="3.6" />
      <circle cx="24" cy="25" r="2.4" />
    </svg>
  );
}
