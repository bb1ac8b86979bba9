import { defineConfig } from 'vitest/config';
import type { Plugin } from 'vite';

const service = process.env['EMBEDDING_SERVICE_URL'] ?? 'http://localhost:8001';

/**
 * Puts the script and the style into the page: the server embeds one file, and allows exactly
 * these two elements by their hashes (src/api/console.cc looks for them as they are written here).
 */
function singleFile(): Plugin {
  return {
    name: 'single-file',
    enforce: 'post',
    generateBundle(_, bundle) {
      const page = bundle['index.html'];
      if (page?.type !== 'asset') throw new Error('vite made no index.html');
      let html = String(page.source);
      for (const [name, file] of Object.entries(bundle)) {
        if (file === page) continue;
        const content = file.type === 'chunk' ? file.code : String(file.source);
        if (/<\/(script|style)/i.test(content)) throw new Error(`${name} would end its element`);
        const [link, element] =
          file.type === 'chunk'
            ? [/\s*<script type="module"[^>]*><\/script>/, `<script type="module">${content}</script>`]
            : [/\s*<link rel="stylesheet"[^>]*>/, `<style>${content}</style>`];
        if (!link.test(html)) throw new Error(`nothing in the page asks for ${name}`);
        html = html.replace(link, '');
        // A script in the head would run before there is a body; modules wait for it.
        html = html.replace('</head>', () => `${element.trim()}\n</head>`);
        delete bundle[name];
      }
      page.source = html;
      page.fileName = 'console.html';
    },
  };
}

export default defineConfig({
  base: './',
  plugins: [singleFile()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: ['chrome111', 'firefox114', 'safari16.4'],
    outDir: process.env['CONSOLE_OUT'] ?? '../web',
    emptyOutDir: false,
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: true,
  },
  // `npm run dev` shows the page with the texts and scores of a server that runs.
  server: {
    proxy: Object.fromEntries(
      ['embed', 'tokenize', 'v1', 'info', 'health', 'metrics', 'docs', 'openapi.json'].map((path) => [
        `/${path}`,
        service,
      ]),
    ),
  },
  test: {
    include: ['tests/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
