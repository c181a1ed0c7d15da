// Tools that misbehave, for the system tests: loaded by EXECGO_TOOLS.
export default [
  {
    name: 'hang',
    run() {
      for (;;);
    },
  },
  {
    name: 'exit',
    run() {
      process.exit(3)
    },
  },
  {
    name: 'oom',
    run() {
      const kept = []
      for (;;) kept.push(new Array(100_000).fill({ a: 1 }))
    },
  },
  {
    name: 'never',
    run() {
      return new Promise(() => {})
    },
  },
]
