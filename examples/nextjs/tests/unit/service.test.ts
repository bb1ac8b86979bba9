import { afterEach, expect, it, vi } from 'vitest';
import { serviceUrl } from '@/lib/service';

afterEach(() => void vi.unstubAllEnvs());

it.each([
  ['http://somebody:secret@service:8001', 'http://service:8001'],
  ['nowhere', 'nowhere'],
  ['http://service:8001/', 'http://service:8001'],
])('the page is told of %s as %s', (variable, shown) => {
  vi.stubEnv('EMBEDDING_SERVICE_URL', variable);
  expect(serviceUrl()).toBe(shown);
});
