import Link from 'next/link';
import { messagesOf } from '@/lib/messages';
import { readPreferences } from '@/lib/preferences';

export default async function NotFound() {
  const messages = messagesOf((await readPreferences()).language);
  return (
    <main id="results">
      <h1>{messages.notFound}</h1>
      <p>
        <Link href="/">← {messages.home}</Link>
      </p>
    </main>
  );
}
