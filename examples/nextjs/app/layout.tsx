import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';
import { Header } from '@/components/header';
import { messagesOf } from '@/lib/messages';
import { readPreferences } from '@/lib/preferences';
import './globals.css';

export async function generateMetadata(): Promise<Metadata> {
  const { language } = await readPreferences();
  const { title, tagline } = messagesOf(language);
  return { title: { default: title, template: `%s · ${title}` }, description: tagline };
}

export const viewport: Viewport = { colorScheme: 'light dark' };

export default async function Layout({ children }: { children: ReactNode }) {
  const { language, theme } = await readPreferences();
  return (
    <html lang={language} data-theme={theme}>
      <body>
        <Header language={language} />
        {children}
      </body>
    </html>
  );
}
