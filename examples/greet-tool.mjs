// A tool of one's own: EXECGO_TOOLS=examples/greet-tool.mjs npm start, then {"type":"os","tool_name":"greet", …}.
export default {
  name: 'greet',
  run(input) {
    if (typeof input.name !== 'string') return { ok: false, message: 'name is required', isFinal: true }
    return { ok: true, output: { greeting: `hello, ${input.name}` } }
  },
}
