/** The architecture page says how the source is arranged; the imports have to agree. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8')

interface Import {
  readonly from: string
  readonly to: string
  /** Nothing of it is left when the types are taken away. */
  readonly typesOnly: boolean
}

const files = readdirSync(join(root, 'src'), { recursive: true })
  .map((file) => String(file).replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts'))
const imports = files.flatMap((file) => importsOf(file))

/** The table of rooms: `| engine | `engine/` | … |`. */
const rooms = new Map(
  [...page.matchAll(/^\| (\w+) \| ((?:`[^`]+` ?)+) \|/gm)].map(([, name = '', members = '']) => [
    name,
    [...members.matchAll(/`([^`]+)`/g)].map(([, member = '']) => member),
  ]),
)

/** The diagram: `face --> request`. */
const drawn = [...page.matchAll(/^ +(\w+) --> (\w+)$/gm)].map(([, from, to]) => `${from} --> ${to}`)

const LOWER = ['stores', 'codec', 'engine']
const UPPER = [...rooms.keys()].filter((room) => !LOWER.includes(room) && room !== 'ground')

describe('the architecture page', () => {
  it('has a room for every file, and one only', () => {
    const misplaced = files
      .map((file) => ({ file, rooms: roomsOf(file) }))
      .filter(({ rooms }) => rooms.length !== 1)
    expect(misplaced).toEqual([])
  })

  it('lists no file that is gone', () => {
    const gone = [...rooms.values()].flat().filter((member) => !files.some((file) => isMember(file, member)))
    expect(gone).toEqual([])
  })

  it('draws the imports as they are', () => {
    const arrows = imports
      .filter(({ typesOnly }) => !typesOnly)
      .map(({ from, to }) => [roomOf(from), roomOf(to)] as const)
      .filter(([from, to]) => from !== to && to !== 'ground')
      .map(([from, to]) => `${from} --> ${to}`)
    expect([...new Set(arrows)].sort()).toEqual(drawn.toSorted())
  })

  it('is right that stores, codec and engine know nothing of what is above them', () => {
    const upward = imports.filter(
      ({ from, to }) => LOWER.includes(roomOf(from)) && UPPER.includes(roomOf(to)),
    )
    expect(upward).toEqual([])
  })

  it('is right that the ground uses nothing', () => {
    const used = imports.filter(
      ({ from, to, typesOnly }) => roomOf(from) === 'ground' && roomOf(to) !== 'ground' && !typesOnly,
    )
    expect(used).toEqual([])
  })

  it('is right that no file imports itself by way of others', () => {
    expect(files.map((file) => wayBack(file)).filter((way) => way !== undefined)).toEqual([])
  })
})

function importsOf(from: string): Import[] {
  const text = readFileSync(join(root, 'src', from), 'utf8')
  return [...text.matchAll(/^(?:import|export) (type )?([^'";]*? from )?'(\.[^']+)'/gm)].map(
    ([, type, what = '', path = '']) => {
      const names = /^\{([^}]*)\}/
        .exec(what)?.[1]
        ?.split(',')
        .filter((name) => name.trim() !== '')
      const typesOnly =
        type !== undefined || (names?.every((name) => name.trim().startsWith('type ')) ?? false)
      return { from, to: posix.join(posix.dirname(from), path), typesOnly }
    },
  )
}

function isMember(file: string, member: string): boolean {
  return member.endsWith('/') ? file.startsWith(member) : file === member
}

function roomsOf(file: string): string[] {
  return [...rooms]
    .filter(([, members]) => members.some((member) => isMember(file, member)))
    .map(([name]) => name)
}

function roomOf(file: string): string {
  return roomsOf(file)[0] ?? `no room for ${file}`
}

/** The way from a file through the imports that run back to itself. */
function wayBack(start: string): string[] | undefined {
  const seen = new Set<string>()
  const ways = [[start]]
  for (const way of ways) {
    for (const { to } of imports.filter(({ from, typesOnly }) => from === way.at(-1) && !typesOnly)) {
      if (to === start) return [...way, to]
      if (!seen.has(to)) ways.push([...way, to])
      seen.add(to)
    }
  }
  return undefined
}
