/** `execgo openapi`. */
import { Command, Option } from 'commander'
import { clientOf } from './connection.ts'
import { withExamples } from './examples.ts'
import { Output } from './output.ts'
import type { Terminal } from './terminal.ts'

export const openapiCommand = (terminal: Terminal): Command =>
  withExamples(
    new Command('openapi')
      .description('Prints the document of the HTTP API (OpenAPI 3.1).')
      .addOption(new Option('-o, --output <format>', 'how').choices(['json', 'yaml']).default('json')),
    [['openapi -o yaml > execgo.yaml', 'for a generator of clients']],
  ).action(async (options: { output: 'json' | 'yaml' }) => {
    const document = await clientOf(terminal).openapi({ signal: terminal.signal })
    await new Output(terminal, options).value(document, () => '')
  })
