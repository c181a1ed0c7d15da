/** What a Markdown page is made of, as far as its links and its twin in another language are concerned. */

/** A page without its fenced blocks. */
const withoutBlocks = (page: string): string => page.replace(/^(```+).*?^\1$/gms, '')

/** The headings in their order, with their `#`s. */
export const headingsOf = (page: string): string[] =>
  [...withoutBlocks(page).matchAll(/^#+ .+$/gm)].map(([heading]) => heading)

/** The names that GitHub gives to the headings of a page. */
export const anchorsOf = (page: string): Set<string> => {
  const found = new Set<string>()
  for (const heading of headingsOf(page)) {
    const name = heading
      .replace(/^#+ /, '')
      .replace(/\[(.+?)\]\(.+?\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-')
    let numbered = name
    for (let more = 1; found.has(numbered); more++) numbered = `${name}-${more}`
    found.add(numbered)
  }
  return found
}

interface Link {
  /** `''` for the page itself. */
  readonly path: string
  /** `''` for none. */
  readonly anchor: string
}

/** Links to files and headings; those to other hosts are left out. */
export const linksOf = (page: string): Link[] =>
  [...withoutBlocks(page).matchAll(/\]\(([^)#\s]*)#?([^)\s]*)\)/g)]
    .map(([, path = '', anchor = '']) => ({ path, anchor: decodeURIComponent(anchor) }))
    .filter(({ path }) => !/^[a-z]+:/.test(path))

const COMMENTS: Readonly<Record<string, RegExp>> = {
  bash: /(?<=^|\s)#.*$/gm,
  go: /(?<=^|\s)\/\/.*$/gm,
  java: /(?<=^|\s)\/\/.*$|\/\*\*.*?\*\//gms,
  js: /(?<=^|\s)\/\/.*$|\/\*\*.*?\*\//gms,
  // What stands for further keys is in words.
  json: /(?<="…": )".*?"/g,
  nginx: /#.*$/gm,
  python: /(?<=^|\s)# .*$|""".*?"""/gms,
}

/** The fenced blocks without their comments; of drawings, which have words in them, only that they are there. */
export const codeOf = (page: string): string[] =>
  [...page.matchAll(/^```+(\w*)(.*?)^```+$/gms)].map(([, language = '', text = '']) =>
    language === ''
      ? 'a drawing'
      : `${language}${text.replace(COMMENTS[language] ?? /(?!)/, '').replace(/\s+/g, ' ')}`,
  )
