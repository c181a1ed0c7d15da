/** The pages among themselves: their links lead somewhere, and both languages say the same. What they print is tested by running it. */
import assert from 'node:assert/strict'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { root } from './support/daemon.ts'
import { anchorsOf, codeOf, headingsOf, linksOf } from './support/markdown.ts'

const read = (page: string): Promise<string> => readFile(join(root, page), 'utf8')

const pagesIn = async (folder: string): Promise<string[]> =>
  (await readdir(join(root, folder), { recursive: true }))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `${folder}/${name}`)

const atTop = (await readdir(root)).filter((name) => name.endsWith('.md'))
const pages = [...atTop, 'bench/README.md', ...(await pagesIn('docs'))]

describe('links lead somewhere', () => {
  for (const page of pages) {
    test(page, async () => {
      for (const { path, anchor } of linksOf(await read(page))) {
        const target = path === '' ? join(root, page) : join(root, page, '..', decodeURIComponent(path))
        const there = await stat(target).catch(() => null)
        assert.ok(there !== null, `${page}: ${path} is not there`)
        if (anchor !== '')
          assert.ok(
            there.isFile() && anchorsOf(await readFile(target, 'utf8')).has(anchor),
            `${page}: ${path} has no heading #${anchor}`,
          )
      }
    })
  }
})

describe('both languages say the same', async () => {
  const english = (await pagesIn('docs/en')).map((page) => [page, page.replace('/en/', '/zh/')] as const)

  test('the same pages', async () => {
    assert.deepEqual(
      await pagesIn('docs/zh'),
      english.map(([, chinese]) => chinese),
    )
  })

  for (const [one, other] of [['README.md', 'README.zh-CN.md'] as const, ...english]) {
    test(other, async () => {
      const [text, twin] = [await read(one), await read(other)]
      const levels = (page: string): string[] => headingsOf(page).map((heading) => heading.split(' ')[0]!)
      assert.deepEqual(levels(twin), levels(text), 'the levels of the headings')
      assert.deepEqual(codeOf(twin), codeOf(text), 'the blocks, without comments')
    })
  }

  test('the README names every page', async () => {
    for (const [readme, language] of [
      ['README.md', 'en'],
      ['README.zh-CN.md', 'zh'],
    ] as const) {
      const named = new Set(linksOf(await read(readme)).map(({ path }) => path))
      assert.deepEqual(
        (await pagesIn(`docs/${language}`)).filter((page) => !named.has(page)),
        [],
        readme,
      )
    }
  })
})
