import { defineConfig } from 'vitest/config'

// Tests import `fast-session` and its subpaths by name: what runs is the built package, as users get it.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    // Some tests kill servers and processes under load. One that fails is tried once more; twice is a failure.
    retry: process.env['CI'] ? 1 : 0,
    server: { deps: { external: [/\/build\//] } },
  },
})
