import type { Reporter, TestModule } from 'vitest/node'

/**
 * Prints "N passed, N failed, N skipped" alone as the last line, for machines to read. A file with an error outside its
 * tests (it cannot be imported, a hook of it throws) counts as one failure more, and so does each unhandled error.
 */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state] += 1
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length > 0 ? 1 : 0
      count.failed += module.errors().length > 0 ? 1 : 0
    }
    // A test that never ended (the run was interrupted) was not skipped by choice, yet it proved nothing either.
    process.once('exit', () => {
      console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped`)
    })
  }
}
