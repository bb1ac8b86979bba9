import type { RefObject } from 'react';
import type { Messages } from '@/lib/messages';
import { MOST_LETTERS } from '@/lib/types';

interface Props {
  box: RefObject<HTMLInputElement | null>;
  messages: Messages;
  text: string;
  busy: boolean;
  onText: (text: string) => void;
}

export function SearchBox({ box, messages, text, busy, onText }: Props) {
  return (
    <form
      className="box"
      role="search"
      onSubmit={(event) => {
        // It has been searched while it was typed; on a phone this puts the keyboard away.
        event.preventDefault();
        if (window.matchMedia('(pointer: coarse)').matches) box.current?.blur();
      }}
    >
      <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" className={busy ? 'line busy' : 'line'}>
        {busy ? <path d="M12 3a9 9 0 1 0 9 9" /> : <path d="M17 10.5a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0Zm-1.8 4.7L20 20" />}
      </svg>
      <input
        ref={box}
        type="search"
        name="q"
        value={text}
        maxLength={MOST_LETTERS}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        enterKeyHint="search"
        aria-label={messages.searchLabel}
        placeholder={messages.placeholder}
        onChange={(event) => onText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && text !== '') onText('');
        }}
      />
      {text === '' ? (
        <kbd aria-hidden="true">/</kbd>
      ) : (
        <button
          type="button"
          className="plain"
          aria-label={messages.clear}
          onClick={() => {
            onText('');
            box.current?.focus();
          }}
        >
          <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" className="line">
            <path d="m6 6 12 12M18 6 6 18" />
          </svg>
        </button>
      )}
    </form>
  );
}
