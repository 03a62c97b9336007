import { defineConfig } from 'vite'

/** Where `npm run dev` finds the API, and the token that it adds: `TRIBUTARY_URL=http://127.0.0.1:7401 TRIBUTARY_TOKEN_FILE=… npm run dev -w console`. */
const api = process.env['TRIBUTARY_URL'] ?? 'http://127.0.0.1:7401'

export default defineConfig({
  base: '/console/',
  root: import.meta.dirname,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    // Everything is a file of its own: a data: or inline script or style would need a weaker content policy.
    assetsInlineLimit: 0,
    cssCodeSplit: true,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/v1': { target: api } } },
})
