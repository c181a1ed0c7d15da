/** What a thread of our own runs, of a build and of the sources. */

/**
 * Text for `new Worker(…, { eval: true })` that runs the module at `url`, which ends like this file does (`.ts` or
 * `.js`). From the sources it has to ask tsx for its loader: on Node 20 a thread does not inherit one.
 */
export const threadEntry = (url: URL): string =>
  url.href.endsWith('.js')
    ? `import(${JSON.stringify(url.href)})`
    : `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(({ register }) => {
         register()
         return import(${JSON.stringify(url.href)})
       })`

/** The ending of a module beside this one: .ts under tsx, .js in a build. */
export const ENDING = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
