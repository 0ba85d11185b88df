import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// Names hold a hash of the content, so that browsers may keep each file for ever.
export default defineConfig({
  base: '/',
  plugins: [svelte()],
  build: { outDir: '../dist', emptyOutDir: true, assetsInlineLimit: 0, target: 'es2022' },
});
