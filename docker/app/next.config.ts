import type { NextConfig } from 'next';

const contentSecurityPolicy = [
  "default-src 'self'",
  "img-src 'self' data:",
  "style-src 'self' 'unsafe-inline'",
  "script-src 'self' 'unsafe-inline'",
  "object-src 'none'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'self'",
].join('; ');

const config: NextConfig = {
  output: 'standalone',
  // This app lives in a folder of another npm project: without these two, Next takes the outer
  // lock file for the root and nests the standalone server two folders deep.
  outputFileTracingRoot: import.meta.dirname,
  turbopack: { root: import.meta.dirname },
  // Logos are drawn with CSS, so the image optimiser and its 30 MB of native code stay out.
  images: { unoptimized: true },
  outputFileTracingExcludes: {
    '*': [
      'node_modules/sharp/**',
      'node_modules/@img/**',
      // Sizes of every Google font, 4 MB: read by next build only.
      'node_modules/next/dist/server/capsize-font-metrics.json',
    ],
  },
  poweredByHeader: false,
  reactStrictMode: true,
  // Every page is rendered per request, so there is nothing to keep in the response cache.
  cacheMaxMemorySize: 0,
  experimental: {
    // Routes are loaded by their first visitor: less memory and an earlier first healthy answer.
    preloadEntriesOnStart: false,
  },
  async headers() {
    return [
      {
        source: '/:path*',
        headers: [
          { key: 'Content-Security-Policy', value: contentSecurityPolicy },
          { key: 'Referrer-Policy', value: 'strict-origin-when-cross-origin' },
          { key: 'X-Content-Type-Options', value: 'nosniff' },
          { key: 'X-Frame-Options', value: 'SAMEORIGIN' },
        ],
      },
    ];
  },
};

export default config;
