// Exit code 0 where the daemon of this container answers, by the environment that it was started with; the image has no curl.
import { get as getHttp } from 'node:http'
import { get as getHttps } from 'node:https'

const WITHIN_MS = 8000

const { EXECGO_ADDR = '', EXECGO_TLS_CERT = '' } = process.env
const [, host = '', port = '8080'] = /^(.*):(\d+)$/.exec(EXECGO_ADDR) ?? []
const isAnyInterface = ['', '0.0.0.0', '[::]'].includes(host)
const path = `${isAnyInterface ? '127.0.0.1' : host}:${port}/health`

const signal = AbortSignal.timeout(WITHIN_MS)
// The certificate names the machine that clients ask, which this is not.
const request =
  EXECGO_TLS_CERT === ''
    ? getHttp(`http://${path}`, { signal })
    : getHttps(`https://${path}`, { signal, rejectUnauthorized: false })
request.on('response', ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))
request.on('error', ({ message }) => {
  process.stderr.write(`${message}\n`)
  process.exit(1)
})
