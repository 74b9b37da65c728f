import { defineConfig } from 'vitest/config'

import { browserTests } from './tests/browser/support/installed.ts'
import { neighbourTests } from './tests/neighbours/support/programs.ts'

const storeTests = 'packages/server/src/store/**/*.test.ts'
const conformanceTests = 'tests/conformance/**/*.test.ts'
const postgres = './tools/postgres-setup.ts'

export default defineConfig({
  test: {
    // One module registry for all files: fourteen times faster, and safe because our modules hold no state.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: ['default', './tools/summary-reporter.ts'],
    coverage: { include: ['packages/*/src/**/*.ts'], exclude: ['**/*.test.ts'] },
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['packages/*/src/**/*.test.ts'], exclude: [storeTests, '**/node_modules/**'] },
      },
      { extends: true, test: { name: 'store', include: [storeTests], globalSetup: [postgres] } },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['tests/**/*.test.ts'],
          exclude: [conformanceTests, 'tests/neighbours/**', 'tests/browser/**'],
          globalSetup: [postgres],
        },
      },
      { extends: true, test: { name: 'conformance', include: [conformanceTests] } },
      // Debian's Chromium: where it is not installed, there are no tests of it.
      { extends: true, test: { name: 'browser', include: browserTests() } },
      // Proxies of the system's packages: those that are not installed have no tests here.
      { extends: true, test: { name: 'neighbours', include: neighbourTests() } },
    ],
  },
})
