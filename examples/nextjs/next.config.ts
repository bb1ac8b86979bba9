import type { NextConfig } from 'next';

const development = process.env.NODE_ENV === 'development';

// Next.js starts its pages with inline scripts, and in development compiles with eval. Nothing is ever loaded
// from another host.
const contentSecurityPolicy = [
  "default-src 'self'",
  `script-src 'self' 'unsafe-inline'${development ? " 'unsafe-eval'" : ''}`,
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const config: NextConfig = {
  // They load their WebAssembly from files beside them, which a bundle would not have.
  serverExternalPackages: ['@electric-sql/pglite', '@electric-sql/pglite-pgvector'],
  turbopack: { root: import.meta.dirname },
  poweredByHeader: false,
  // Titles and descriptions stand in the head from the start: streamed, they came after the page was read where a
  // machine was slow.
  htmlLimitedBots: /./,
  typescript: { ignoreBuildErrors: false },
  headers: async () => [
    {
      source: '/:path*',
      headers: [
        { key: 'Content-Security-Policy', value: contentSecurityPolicy },
        { key: 'X-Content-Type-Options', value: 'nosniff' },
        { key: 'Referrer-Policy', value: 'same-origin' },
      ],
    },
  ],
};

export default config;
