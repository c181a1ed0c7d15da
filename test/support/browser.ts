/** Headless Chromium, driven by its own protocol over a pipe: https://chromedevtools.github.io/devtools-protocol/ */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { SOON_MS } from './daemon.ts'

export const hasBrowser = spawnSync('chromium', ['--version'], { stdio: 'ignore' }).status === 0

const FLAGS =
  '--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --disable-dev-shm-usage --remote-debugging-pipe'

interface Message {
  readonly id?: number
  readonly sessionId?: string
  readonly method?: string
  readonly params?: any
  readonly result?: any
  readonly error?: { readonly message: string }
}

/** One page, and all that it did since it was opened. */
export class Page {
  readonly #send: (method: string, params?: object) => Promise<any>
  /** What the console shows as an error, CSP's violations too, and errors that nobody caught. */
  readonly errors: string[] = []
  /** URLs of all requests, frames' too. */
  readonly requests: string[] = []

  constructor(send: (method: string, params?: object) => Promise<any>) {
    this.#send = send
  }

  async enable(): Promise<this> {
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await this.#send(`${domain}.enable`)
    return this
  }

  hear({ method, params }: Message): void {
    if (method === 'Network.requestWillBeSent') this.requests.push(params.request.url)
    else if (method === 'Log.entryAdded' && params.entry.level === 'error')
      this.errors.push(`${params.entry.text} ${params.entry.url ?? ''}`)
    else if (method === 'Runtime.exceptionThrown')
      this.errors.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text)
    else if (method === 'Runtime.consoleAPICalled' && params.type === 'error')
      this.errors.push(params.args.map(({ value }: { value: unknown }) => String(value)).join(' '))
  }

  /** Resolves once the page is there, with its scripts run. */
  async goto(url: string): Promise<void> {
    await this.#send('Page.navigate', { url })
    await this.until("document.readyState === 'complete' && location.href !== 'about:blank'")
  }

  /** What `expression` comes to in the page, awaited. */
  async evaluate(expression: string): Promise<any> {
    const { result, exceptionDetails } = await this.#send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })
    if (exceptionDetails !== undefined)
      throw new Error(`${expression}: ${exceptionDetails.exception?.description}`)
    return result.value
  }

  /** Resolves to what `expression` comes to once that is truthy. */
  async until(expression: string): Promise<any> {
    for (const end = Date.now() + SOON_MS; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
      // Between two pages there is nothing to ask.
      const value = await this.evaluate(expression).catch(() => null)
      if (value) return value
      if (Date.now() > end) throw new Error(`still not so: ${expression}\n${this.errors.join('\n')}`)
    }
  }
}

export class Browser {
  readonly #child: ChildProcess
  readonly #commands: Writable
  readonly #unanswered = new Map<number, (message: Message) => void>()
  readonly #pages = new Map<string, Page>()
  #lastId = 0
  #rest = ''

  constructor(child: ChildProcess) {
    this.#child = child
    this.#commands = child.stdio[3] as Writable
    const answers = child.stdio[4] as Readable
    answers.setEncoding('utf8').on('data', (text: string) => this.#onText(text))
  }

  async page(): Promise<Page> {
    const { targetId } = await this.#send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await this.#send('Target.attachToTarget', { targetId, flatten: true })
    const page = new Page((method, params) => this.#send(method, params, sessionId))
    this.#pages.set(sessionId, page)
    return page.enable()
  }

  async close(): Promise<void> {
    const exited = once(this.#child, 'exit')
    void this.#send('Browser.close')
    await exited
  }

  #send(method: string, params: object = {}, sessionId?: string): Promise<any> {
    const id = ++this.#lastId
    this.#commands.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    return new Promise((resolve, reject) =>
      this.#unanswered.set(id, ({ result, error }) =>
        error === undefined ? resolve(result) : reject(new Error(`${method}: ${error.message}`)),
      ),
    )
  }

  #onText(text: string): void {
    const texts = (this.#rest + text).split('\0')
    this.#rest = texts.pop()!
    for (const each of texts) {
      const message = JSON.parse(each) as Message
      if (message.id === undefined) this.#pages.get(message.sessionId ?? '')?.hear(message)
      else {
        this.#unanswered.get(message.id)?.(message)
        this.#unanswered.delete(message.id)
      }
    }
  }
}

/** Gone with the test. To it, each of `names` is this machine. */
export const startBrowser = async (t: TestContext, names: readonly string[] = []): Promise<Browser> => {
  const profile = await mkdtemp(join(tmpdir(), 'execgo-browser-'))
  const rules = names.map((name) => `MAP ${name} 127.0.0.1`).join(', ')
  const args = [...FLAGS.split(' '), `--user-data-dir=${profile}`, `--host-resolver-rules=${rules}`]
  const child = spawn('chromium', [...args, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  const browser = new Browser(child)
  t.after(async () => {
    await browser.close()
    // Its helpers may still write for a moment.
    await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  })
  return browser
}
