/**
 * `GET /openapi.json`, and `GET /docs`: a page that shows it, with all that it loads from here. Both are read and made
 * when they are first asked for.
 * @see contract B6
 */
import { readFile } from 'node:fs/promises'
import { packageRoot } from '../../package-root.ts'
import { BROWSER_HEADERS } from './browser-headers.ts'
import { type HttpContext, reply, replyProblem } from './reply.ts'

/** What the page loads; nothing else of the package is served. */
const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
}

const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null })
`

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>execgo API</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`

const kept = new Map<string, Uint8Array<ArrayBuffer>>()

/** The files of swagger-ui-dist: in a build, a copy of them. */
const folder = import.meta.url.endsWith('.ts') ? 'node_modules/swagger-ui-dist' : 'dist/docs'

const readPart = async (name: string): Promise<Uint8Array<ArrayBuffer>> => {
  const file = kept.get(name) ?? new Uint8Array(await readFile(new URL(`${folder}/${name}`, packageRoot)))
  kept.set(name, file)
  return file
}

const show = (c: HttpContext, type: string, body: string | Uint8Array<ArrayBuffer>): Response =>
  new Response(body, {
    headers: [['Content-Type', type], ['X-Trace-Id', c.env.traceId], ...BROWSER_HEADERS] as [
      string,
      string,
    ][],
  })

export const replyDocs = (c: HttpContext): Response => show(c, 'text/html; charset=utf-8', PAGE)

/** A part of the page. */
export const replyDocsFile = async (c: HttpContext, name: string): Promise<Response> => {
  if (name === 'start.js') return show(c, 'text/javascript; charset=utf-8', START)
  const type = Object.hasOwn(FILES, name) ? FILES[name] : undefined
  return type === undefined
    ? replyProblem(c, { code: 'not_found', message: `no such route: GET /docs/${name}` })
    : show(c, type, await readPart(name))
}

let document: Promise<string> | null = null

export const replyOpenApi = async (c: HttpContext, version: string): Promise<Response> => {
  document ??= import('../openapi/document.ts').then(({ openApiDocument }) =>
    JSON.stringify(openApiDocument(version)),
  )
  const response = reply(c, 200, await document)
  response.headers.set('X-Content-Type-Options', 'nosniff')
  return response
}
