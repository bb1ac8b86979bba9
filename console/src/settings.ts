import { useLayoutEffect, useState } from 'preact/hooks';

/** What the page remembers. Browsers that keep nothing let it go on without. */
function stored(storage: 'localStorage' | 'sessionStorage', key: string): string | undefined {
  try {
    return window[storage].getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

function store(storage: 'localStorage' | 'sessionStorage', key: string, value: string | undefined): void {
  try {
    if (value === undefined) window[storage].removeItem(key);
    else window[storage].setItem(key, value);
  } catch {
    // Not kept, then: the page works the same until it is closed.
  }
}

function useStored<T extends string | undefined>(
  storage: 'localStorage' | 'sessionStorage',
  key: string,
  first: (stored: string | undefined) => T,
): [T, (value: T) => void] {
  const name = `embedding-service.${key}`;
  const [value, setValue] = useState(() => first(stored(storage, name)));
  const change = (next: T) => {
    store(storage, name, next);
    setValue(next);
  };
  return [value, change];
}

/** Kept for the next visits. */
export const useKept = <T extends string | undefined>(key: string, first: (stored: string | undefined) => T) =>
  useStored('localStorage', key, first);

/** Kept as long as the tab is open. */
export const useKeptInTab = <T extends string | undefined>(key: string, first: (stored: string | undefined) => T) =>
  useStored('sessionStorage', key, first);

export type Theme = 'auto' | 'light' | 'dark';

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useKept<Theme>('theme', (was) => (was === 'light' || was === 'dark' ? was : 'auto'));
  // Before the browser paints, or a page that was chosen dark would come light first.
  useLayoutEffect(() => {
    document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  return [theme, setTheme];
}
