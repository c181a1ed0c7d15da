/** Runs in a browser, on the attacker's page of browser.test.ts. */

/** What a page's script can: resolves to what it got to see of the daemon at each of `bases`. */
export const attack = async (bases, grpc) => {
  const seen = {}
  const graph = (id) => JSON.stringify({ tasks: [{ id, type: 'noop' }] })
  const ask = async (name, url, init) => {
    seen[name] = await fetch(url, init).then(
      async (answer) => (answer.type === 'opaque' ? '' : `${answer.status} ${await answer.text()}`),
      () => '',
    )
  }
  const firstOf = (source, name) =>
    new Promise((resolve) => {
      source.addEventListener('open', () => {
        seen[name] = 'open'
        resolve()
      })
      source.addEventListener('error', () => {
        source.close()
        resolve()
      })
    })
  for (const [at, base] of bases.entries()) {
    const post = { method: 'POST', mode: 'no-cors' }
    await ask(`read ${base}`, `${base}/tasks`)
    await ask(`health ${base}`, `${base}/health`)
    await ask(`no-cors read ${base}`, `${base}/tasks`, { mode: 'no-cors' })
    await ask(`no-cors ${base}`, `${base}/tasks`, { ...post, body: graph(`no-cors-${at}`) })
    await ask(`unsaid ${base}`, `${base}/tasks`, {
      ...post,
      referrerPolicy: 'no-referrer',
      body: graph(`unsaid-${at}`),
    })
    const type = { 'content-type': 'application/json' }
    await ask(`cors ${base}`, `${base}/tasks`, { method: 'POST', headers: type, body: graph(`cors-${at}`) })
    await ask(`delete ${base}`, `${base}/tasks/kept`, { method: 'DELETE' })
    navigator.sendBeacon(`${base}/tasks`, graph(`beacon-${at}`))
    await firstOf(new EventSource(`${base}/events`), `events ${base}`)
    await firstOf(new WebSocket(`${base.replace('http', 'ws')}/tasks`), `socket ${base}`)
  }
  await ask('redirected', '/away', { method: 'POST', mode: 'no-cors', body: graph('redirected') })
  await ask('grpc', `${grpc}/execgo.v1.ExecGo/SubmitTasks`, { method: 'POST', mode: 'no-cors', body: 'x' })
  const sandbox = document.createElement('iframe')
  sandbox.sandbox.value = 'allow-scripts allow-forms'
  sandbox.srcdoc = `<form id="form" method="post" enctype="text/plain" action="${bases[0]}/tasks">
<input name='{"tasks":[{"id":"by-sandbox","type":"noop"}],"x":"' value='"}'></form><script>form.submit()</script>`
  document.body.append(sandbox)
  for (const form of document.forms) form.submit()
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const framed = document.querySelector('#framed')
  seen['frame'] = framed.contentDocument?.body.textContent ?? ''
  seen['picture'] = String(document.querySelector('#seen').naturalWidth || '')
  seen['script'] = 'SwaggerUIBundle' in window ? 'loaded' : ''
  return Object.fromEntries(Object.entries(seen).filter(([, what]) => what !== ''))
}
